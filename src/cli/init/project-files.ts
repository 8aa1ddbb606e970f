import { readdirSync, readFileSync } from 'node:fs';
import { PACKAGE_ROOT } from '../../util/own-files.js';

/** What a project is written in. */
export type Language = 'ts' | 'js';

const TEMPLATES = new URL('templates/', PACKAGE_ROOT);
/** npm never packs a file of the proper name. */
const RENAMED: Readonly<Record<string, string>> = { gitignore: '.gitignore' };
/** How a script is run. */
const RUN: Readonly<Record<Language, string>> = { ts: 'npx tsx', js: 'node' };

/**
 * The files of a new project, by name, without its `package.json`.
 *
 * The JavaScript of one is its TypeScript, as far as that has no types; files of its own replace the rest.
 *
 * @param words - What stands in the texts for `{{…}}`.
 */
export function projectFiles(
  language: Language,
  words: Readonly<Record<string, string>>,
): Map<string, string> {
  const files = readFolder('project/', { ...words, ext: language, run: RUN[language] });
  if (language === 'ts') return files;
  files.delete('tsconfig.json');
  const scripts = [...files].map(([name, text]) => [name.replace(/\.ts$/, '.js'), text] as const);
  return new Map([...scripts, ...readFolder('js/', words)]);
}

function readFolder(folder: string, words: Readonly<Record<string, string>>): Map<string, string> {
  const url = new URL(folder, TEMPLATES);
  const texts = readdirSync(url).map((file): [string, string] => {
    const text = readFileSync(new URL(file, url), 'utf8');
    return [RENAMED[file] ?? file, fill(text, words)];
  });
  return new Map(texts);
}

function fill(text: string, words: Readonly<Record<string, string>>): string {
  return text.replace(/\{\{(\w+)\}\}/g, (place, word: string) => words[word] ?? place);
}
