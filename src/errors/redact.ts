/** What stands in place of a secret. */
export const MASK = '***';

/** Shorter values are not masked: they would take letters out of every text. */
const MIN_LENGTH = 4;
/** Shorter values are masked only where they stand apart, so that the password `test` leaves `latest` as it is. */
const MIN_LENGTH_INSIDE = 8;
const MAX_CAUSES = 8;

const USERINFO = /:\/\/([^\s/@":]*):([^\s/@"]*)@/g;
const SECRET_PARAMETER =
  /([?&][^?=&#\s"]{0,60}(?:password|passphrase|secret|token|key|mechanismproperties)[^?=&#\s"]{0,60}=)([^&#\s"]*)/gi;

interface KnownSecrets {
  readonly values: Set<string>;
  /** Finds any of them; null when it must be made anew. */
  pattern: RegExp | null;
}

// One for the process, also when the library is loaded twice: what one copy resolves, the other may print.
const KNOWN = Symbol.for('maggma.secrets/1');
const holder = globalThis as { [KNOWN]?: KnownSecrets };
holder[KNOWN] ??= { values: new Set(), pattern: null };
const known = holder[KNOWN];

/**
 * Masks secrets anywhere in a text: the passwords in connection strings, keeping user names, and every value that was
 * registered as a secret.
 *
 * @param text - A message, a URI, a log line.
 */
export function redact(text: string): string {
  const redacted = text
    .replace(USERINFO, (found, user: string, password: string) =>
      isSecretReference(password) ? found : `://${user}:${MASK}@`,
    )
    .replace(SECRET_PARAMETER, (found, name: string, value: string) =>
      isSecretReference(value) ? found : `${name}${MASK}`,
    );
  return maskKnownSecrets(redacted);
}

/** Masks only the values that were registered as secrets. */
export function maskKnownSecrets(text: string): string {
  if (known.values.size === 0) return text;
  known.pattern ??= patternOf(known.values);
  return text.replace(known.pattern, MASK);
}

/**
 * Makes a value known as a secret: from now on {@link redact} masks it in this process, also as a URI or JSON would
 * write it. Of a connection string the password counts by itself, of several lines each one.
 */
export function registerSecret(value: string): void {
  for (const secret of [value, ...partsOf(value)]) {
    if (secret.length < MIN_LENGTH || known.values.has(secret)) continue;
    known.values.add(secret);
    known.pattern = null;
  }
}

/**
 * Masks the secrets in the texts of an error and of its causes, in place: whoever caught it may print it.
 *
 * @param thrown - Whatever was caught.
 */
export function redactError(thrown: unknown): void {
  try {
    let error = thrown;
    for (let depth = 0; error instanceof Error && depth < MAX_CAUSES; depth++) {
      redactProperty(error, 'message');
      redactProperty(error, 'stack');
      error = error.cause;
    }
  } catch {
    // Getters that throw, revoked proxies: nobody can print them either.
  }
}

/** Tells whether a text names where a secret is, `$env:NAME` or `$file:path`, instead of being one. */
export function isSecretReference(text: string): boolean {
  return /^\$(?:env|file):/.test(text);
}

function redactProperty(error: Error, property: 'message' | 'stack'): void {
  const value: unknown = Reflect.get(error, property);
  if (typeof value !== 'string') return;
  const redacted = redact(value);
  if (redacted === value) return;
  const attributes = { configurable: true, writable: true, enumerable: false };
  Reflect.defineProperty(error, property, { ...attributes, value: redacted });
}

/** The secrets in a secret; what is only a reference, as in `mongodb://me:$env:PASSWORD@host`, is none. */
function partsOf(value: string): string[] {
  const [, password] = /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s@:]*:([^/?#\s@]*)@/i.exec(value) ?? [];
  const parameters = [...value.matchAll(SECRET_PARAMETER)].map(([, , parameter]) => parameter);
  const lines = value.includes('\n') ? value.split('\n').map((line) => line.trim()) : [];
  return [password, ...parameters, ...lines]
    .filter((part) => part !== undefined)
    .map(unescaped)
    .filter((part) => !isSecretReference(part));
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // It has percent signs that are no escapes.
    return text;
  }
}

function patternOf(secrets: ReadonlySet<string>): RegExp {
  const alternatives = [...secrets]
    .sort((a, b) => b.length - a.length)
    .map((secret) => {
      const pattern = Array.from(secret, patternOfCharacter).join('');
      if (secret.length >= MIN_LENGTH_INSIDE) return pattern;
      return `(?<![\\p{L}\\p{N}])${pattern}(?![\\p{L}\\p{N}])`;
    });
  return new RegExp(alternatives.join('|'), 'gu');
}

/** A character as it is, with backslashes before it, in %-escapes or as `\uXXXX`; escapes may have been escaped again. */
function patternOfCharacter(character: string): string {
  if (/^[\w-]$/.test(character)) return character;
  const literal = character.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');
  const bytes = Array.from(Buffer.from(character), (byte) => `%(?:25)*${hex(byte, 2)}`);
  const units = character.split('').map((unit) => `\\\\+u${hex(unit.charCodeAt(0), 4)}`);
  return `(?:\\\\*${literal}|${bytes.join('')}|${units.join('')})`;
}

const hex = (code: number, digits: number): string =>
  code
    .toString(16)
    .padStart(digits, '0')
    .replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
