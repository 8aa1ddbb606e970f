import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { ProjectFolderError } from '../../errors/project-errors.js';

/**
 * Writes all files of a project, or none.
 *
 * @param folder - Absolute; made with the folders around it.
 * @throws {@link ProjectFolderError} when a file of such a name is there, or one cannot be written.
 */
export function writeProject(folder: string, files: ReadonlyMap<string, string>): void {
  const made: string[] = [];
  try {
    makeFolder(folder, made);
    const taken = [...files.keys()].filter((name) => exists(path.join(folder, name))).sort();
    if (taken.length > 0)
      throw new ProjectFolderError(
        folder,
        `it has ${taken.join(', ')} already, and nothing is overwritten: name a new folder`,
      );
    for (const [name, text] of files) {
      const file = path.join(folder, name);
      const fd = openSync(file, 'wx');
      made.push(file);
      try {
        writeFileSync(fd, text);
      } finally {
        closeSync(fd);
      }
    }
  } catch (cause) {
    for (const entry of made.reverse()) rmSync(entry, { recursive: true, force: true });
    if (cause instanceof ProjectFolderError) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    const problem = code === 'ENOTDIR' ? 'there is a file in the place of a folder' : message;
    throw new ProjectFolderError(folder, problem, { cause });
  }
}

/** Makes a folder and those around it. Node's own way tries forever where a file system says that there is none. */
function makeFolder(folder: string, made: string[]): void {
  if (existsSync(folder)) return;
  makeFolder(path.dirname(folder), made);
  mkdirSync(folder);
  made.push(folder);
}

/** Whether there is anything of that name, also a link that leads nowhere. */
function exists(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}
