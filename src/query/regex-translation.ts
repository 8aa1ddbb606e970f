/**
 * Makes a pattern of PCRE, which MongoDB uses, into a RegExp that finds the same.
 *
 * Works code point by code point. Translated are the options `x`, `m` and `s`, leading `(?imsx)`,
 * the end before a last newline, `\A \z \Z \h \R \e \a \Q…\E \x{…}`, `(?P<name>…)`, comments,
 * character classes such as `[:alpha:]`, and characters that are escaped without need.
 *
 * @throws SyntaxError for patterns that JavaScript cannot express (atomic groups, recursion, …).
 */
export function translateRegex(pattern: string, options: string): RegExp {
  const lead = /^\(\?([imsx]+)\)/.exec(pattern);
  const all = options + (lead?.[1] ?? '');
  const modes: Modes = { m: all.includes('m'), s: all.includes('s'), x: all.includes('x') };
  const body = pattern.slice(lead?.[0].length ?? 0);
  let source = '';
  for (let at = 0; at < body.length; ) {
    const [text, length] = translateToken(body.slice(at), modes);
    source += text;
    at += length;
  }
  return new RegExp(source, `u${all.includes('i') ? 'i' : ''}${modes.s ? 's' : ''}`);
}

interface Modes {
  readonly m: boolean;
  readonly s: boolean;
  readonly x: boolean;
}

/** What a token becomes, and how many characters of the pattern it takes. */
type Translation = readonly [text: string, length: number];

const ESCAPES: Readonly<Record<string, string>> = {
  '\\A': '^',
  '\\z': '$',
  '\\Z': '(?=\\n?$)',
  '\\h': '[\\t \\xa0]',
  '\\R': '(?:\\r\\n|[\\n\\v\\f\\r\\x85])',
  '\\e': '\\x1b',
  '\\a': '\\x07',
  '\\E': '',
};

const POSIX_CLASSES: Readonly<Record<string, string>> = {
  alpha: 'A-Za-z',
  digit: '\\d',
  alnum: 'A-Za-z\\d',
  upper: 'A-Z',
  lower: 'a-z',
  space: '\\s',
  blank: ' \\t',
  punct: '!-\\/:-@\\[-`\\{-~',
  xdigit: '\\dA-Fa-f',
  word: '\\w',
  cntrl: '\\x00-\\x1f\\x7f',
  print: '\\x20-\\x7e',
  graph: '\\x21-\\x7e',
};

function translateToken(rest: string, modes: Modes): Translation {
  const first = rest[0] ?? '';
  switch (first) {
    case '\\':
      return translateEscape(rest);
    case '[':
      return translateClass(rest);
    case '(':
      return translateGroup(rest);
    case '.':
      return [modes.s ? '.' : '[^\\n]', 1];
    case '^':
      return [modes.m ? '(?:^|(?<=\\n)(?=[^]))' : '^', 1];
    case '$':
      return [modes.m ? '(?=\\n|$)' : '(?=\\n?$)', 1];
    case ']':
    case '}':
      return [`\\${first}`, 1];
    case '{': {
      const quantifier = /^\{\d+(?:,\d*)?\}/.exec(rest)?.[0];
      return quantifier ? [quantifier, quantifier.length] : ['\\{', 1];
    }
  }
  const skipped = modes.x ? /^(?:\s+|#[^\n]*)/.exec(rest)?.[0] : undefined;
  return skipped ? ['', skipped.length] : [first, 1];
}

function translateEscape(rest: string): Translation {
  const pair = rest.slice(0, 2);
  if (pair === '\\Q') return translateQuote(rest);
  const known = ESCAPES[pair];
  if (known !== undefined) return [known, 2];
  const codePoint = /^\\x\{([\da-f]+)\}/i.exec(rest);
  if (codePoint) return [`\\u{${codePoint[1]}}`, codePoint[0].length];
  const property = /^\\([pP])([A-Z])/.exec(rest);
  if (property) return [`\\${property[1]}{${property[2]}}`, property[0].length];
  const braced = /^\\[pPu]\{\^?[\w=]+\}/.exec(rest)?.[0];
  if (braced) return [braced, braced.length];
  // What need not be escaped must not be, under the flag u.
  return /^\\[^a-zA-Z\d^$\\.*+?()[\]{}|/]/.test(rest) ? [rest[1] ?? '', 2] : [pair, 2];
}

function translateQuote(rest: string): Translation {
  const end = rest.indexOf('\\E');
  const quoted = rest.slice(2, end < 0 ? undefined : end);
  const text = quoted.replace(/[\^$\\.*+?()[\]{}|/]/g, '\\$&');
  return [text, end < 0 ? rest.length : end + 2];
}

function translateGroup(rest: string): Translation {
  const comment = /^\(\?#[^)]*\)/.exec(rest)?.[0];
  if (comment) return ['', comment.length];
  const reference = /^\(\?P=(\w+)\)/.exec(rest);
  if (reference) return [`\\k<${reference[1]}>`, reference[0].length];
  return rest.startsWith('(?P<') ? ['(?<', 4] : ['(', 1];
}

/** A class up to its `]`; a hyphen beside `\d` and the like is itself. */
function translateClass(rest: string): Translation {
  const open = rest.startsWith('[^') ? '[^' : '[';
  let text = open;
  let at = open.length;
  if (rest[at] === ']' && rest.indexOf(']', at + 1) > 0) {
    text += '\\]';
    at += 1;
  }
  while (at < rest.length && rest[at] !== ']') {
    const [member, length] = translateMember(rest.slice(at));
    text += member;
    at += length;
  }
  return [at < rest.length ? `${text}]` : text, at + 1];
}

function translateMember(rest: string): Translation {
  const posix = /^\[:(\w+):\]/.exec(rest);
  const named = POSIX_CLASSES[posix?.[1] ?? ''];
  if (posix && named) return [named, posix[0].length];
  const shorthand = /^\\[dwsDWS]-(?!\])/.exec(rest);
  if (shorthand) return [`${rest.slice(0, 2)}\\-`, 3];
  if (/^-\\[dwsDWS]/.test(rest)) return ['\\-', 1];
  if (rest.startsWith('\\h')) return ['\\t \\xa0', 2];
  if (!rest.startsWith('\\')) return [rest[0] ?? '', 1];
  return rest[1] === '-' ? ['\\-', 2] : translateEscape(rest);
}
