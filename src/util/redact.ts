const USERINFO = /([a-z][a-z0-9+.-]*:\/\/)([^\s/@]*)@/gi;
const SECRET_PARAMETER = /([?&](?:[^=&#\s]*(?:password|secret|token|key)[^=&#\s]*)=)([^&#\s]*)/gi;

/**
 * Masks the passwords in connection strings anywhere in a text, keeping user names.
 *
 * @param text - A message, a URI, a log line.
 */
export function redact(text: string): string {
  return text
    .replace(USERINFO, (_, scheme: string, userinfo: string) => {
      const colon = userinfo.indexOf(':');
      return colon < 0 ? `${scheme}${userinfo}@` : `${scheme}${userinfo.slice(0, colon)}:***@`;
    })
    .replace(SECRET_PARAMETER, '$1***');
}
