// Stands in for npm in the shell blocks of the docs: it installs nothing, and fails for what would not work.
import { readFileSync } from 'node:fs';

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
const installable = new Set([
  manifest.name,
  ...Object.keys(manifest.peerDependencies),
  ...Object.keys(manifest.devDependencies),
]);

const [command, ...args] = process.argv.slice(2);
const words = args.filter((word) => !word.startsWith('-'));
const bad = {
  ci: () => words,
  test: () => words,
  init: () => words,
  pkg: () => (words.join(' ') === 'set type=module' ? [] : words),
  install: () => words.filter((name) => !installable.has(name)),
  run: () => words.slice(0, 1).filter((name) => !Object.hasOwn(manifest.scripts, name)),
}[command];

if (bad === undefined || bad().length > 0) {
  console.error(`npm ${process.argv.slice(2).join(' ')}: there is no such thing`);
  process.exit(1);
}
