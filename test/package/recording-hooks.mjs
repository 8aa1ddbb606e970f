// Writes down every module that is loaded: a hook of the module loader, which runs in a thread of its own.
import { appendFileSync } from 'node:fs';

let log;

export function initialize(file) {
  log = file;
}

export async function load(url, context, nextLoad) {
  appendFileSync(log, `${url}\n`);
  return nextLoad(url, context);
}
