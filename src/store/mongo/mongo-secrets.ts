import { isPlainRecord } from '../../msonable/plain-value.js';
import { resolveSecret } from '../../util/secret-reference.js';

/** Names of the driver's options that hold secrets, such as `tlsCertificateKeyFilePassword`. */
export const SECRET_OPTIONS = /password|secret|token/i;

/**
 * The driver's options with what the secret ones of them refer to.
 *
 * @param store - Name of the store, for messages.
 */
export async function resolveDriverOptions(
  options: Readonly<Record<string, unknown>>,
  store: string,
): Promise<Record<string, unknown>> {
  const resolved: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options)) {
    const place = { owner: store, option: `mongoclientKwargs.${name}` };
    if (typeof value === 'object' && value !== null && isPlainRecord(value))
      resolved[name] = await resolveDriverOptions(value, store);
    else if (typeof value === 'string' && SECRET_OPTIONS.test(name))
      resolved[name] = await resolveSecret(value, place);
    else resolved[name] = value;
  }
  return resolved;
}
