import path from 'node:path';

/** What a fenced block of a page is. */
export interface Snippet {
  readonly language: string;
  /** The file that it is, or whose content it shows. */
  readonly title: string | undefined;
  /** `output` shows what the block before it prints, or what its file holds then. */
  readonly flags: ReadonlySet<string>;
  readonly code: string;
  readonly page: string;
  readonly line: number;
}

/** What the blocks of a page may be. */
const LANGUAGES = ['ts', 'js', 'json', 'yaml', 'sh', 'text', 'python'];
/**
 * `output` as said above; `illustration` for text that no command prints as it stands; `mongodb` for a block that
 * needs a server; `unchecked` for another language.
 */
const FLAGS = ['output', 'illustration', 'mongodb'];

/**
 * Finds the fenced blocks of a Markdown page.
 *
 * @throws for a block in a language, or with a flag, that nobody would check.
 */
export function snippetsOf(page: string, markdown: string): Snippet[] {
  const found: Snippet[] = [];
  const lines = markdown.split('\n');
  for (let at = 0; at < lines.length; at++) {
    const opening = /^(\s*)(`{3,})(.*)$/.exec(lines[at] ?? '');
    if (opening === null) continue;
    const [, indent = '', fence = '', info = ''] = opening;
    const end = lines.findIndex((line, i) => i > at && line.trim() === fence);
    if (end < 0) throw new Error(`${page}:${at + 1}: the block has no end`);
    const code = lines.slice(at + 1, end).map((line) => line.slice(indent.length));
    found.push({
      ...parseInfo(info, `${page}:${at + 1}`),
      code: code.join('\n'),
      page,
      line: at + 1,
    });
    at = end;
  }
  return found;
}

function parseInfo(info: string, place: string): Pick<Snippet, 'language' | 'title' | 'flags'> {
  const [language = '', ...words] = info.trim().split(/\s+/);
  const title = /\btitle="([^"]+)"/.exec(info)?.[1];
  const flags = new Set(words.filter((word) => !word.startsWith('title=')));
  if (!LANGUAGES.includes(language))
    throw new Error(`${place}: expected a language out of ${LANGUAGES.join(', ')}`);
  for (const flag of flags)
    if (!FLAGS.includes(flag)) throw new Error(`${place}: unknown "${flag}"`);
  if (language === 'text' && !flags.has('output') && !flags.has('illustration'))
    throw new Error(`${place}: say whether the text is "output" or an "illustration"`);
  return { language, title, flags };
}

/** True for a block that is code in a file of its own. */
export const isModule = ({ language, flags }: Snippet): boolean =>
  ['ts', 'js'].includes(language) && !flags.has('output');

/** The file of a block: its title, or one made of its place. */
export function fileOf(snippet: Snippet): string {
  return snippet.title ?? `line-${snippet.line}.${snippet.language === 'js' ? 'mjs' : 'ts'}`;
}

/** The folder in which the files of a page lie. */
export const folderOf = (page: string): string => path.basename(page, '.md').toLowerCase();

/** Code files of a page that nothing on the page runs: neither a command nor another file. */
export function neverRun(snippets: readonly Snippet[]): string[] {
  return snippets
    .filter((snippet) => isModule(snippet) && snippet.title !== undefined)
    .filter((snippet) => {
      const stem = (snippet.title ?? '').replace(/\.[a-z]+$/, '');
      return !snippets.some(
        (other) => other !== snippet && other.language !== 'text' && mentions(other.code, stem),
      );
    })
    .map((snippet) => `${snippet.page}:${snippet.line}: ${snippet.title}`);
}

const mentions = (code: string, stem: string): boolean =>
  new RegExp(`\\b${stem.replaceAll('.', '\\.')}\\.(?:[cm]?[jt]s|json)\\b`).test(code);

const CHANGING: readonly (readonly [RegExp, string])[] = [
  [/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(,\d{3})?/g, '<time>'],
  [/\bin \d+(\.\d+)? s\b/g, 'in <duration>'],
  [/(_process_time"?: ?)[\d.e-]+/g, '$1<seconds>'],
  [/(durationMs"?: ?)[\d.e-]+/g, '$1<ms>'],
  [/(_bt"?: ?)(?:\{ ?"\$date": ?"[^"]+" ?\}|[\dTZ:.-]+)/g, '$1<now>'],
  [/\b[0-9a-f]{24}\b/g, '<id>'],
  [/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, '<uuid>'],
];

/** Leaves out of a text what differs from run to run. */
export function withoutChanges(text: string, folder: string): string {
  const trimmed = text
    .replaceAll(folder, '/home/you/project')
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
    .trim();
  return CHANGING.reduce((result, [pattern, by]) => result.replace(pattern, by), trimmed);
}
