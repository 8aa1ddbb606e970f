import envPaths from 'env-paths';

const paths = () => envPaths('maggma', { suffix: '' });

/** The folder for data of this user, e.g. `~/.local/share/maggma`. */
export const dataFolder = (): string => paths().data;

/** The folder for what may be forgotten when nothing runs: `~/.local/state/maggma`; that for data where there is none. */
export const stateFolder = (): string =>
  // What this package knows as `log` is the state on Linux alone.
  ['darwin', 'win32'].includes(process.platform) ? paths().data : paths().log;
