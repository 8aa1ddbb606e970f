import { MaggmaError } from './maggma-error.js';

/** A folder cannot take a new project. */
export class ProjectFolderError extends MaggmaError {
  override get name() {
    return 'ProjectFolderError' as const;
  }
  override get code() {
    return 'PROJECT_FOLDER' as const;
  }

  /** The absolute path of the folder. */
  readonly folder: string;

  constructor(folder: string, problem: string, options?: ErrorOptions) {
    super(`Cannot make a project in ${folder}: ${problem}`, options);
    this.folder = folder;
  }
}
