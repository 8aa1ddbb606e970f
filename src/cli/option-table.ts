import path from 'node:path';
import { ISOLATIONS, MAX_CHUNKS, MAX_WORKERS } from '../util/option-values.js';
import type { RunRole } from './run-role.js';

/** What `mrun` can be asked to do by name. */
export const COMMAND_NAMES = [
  'status',
  'failures',
  'show',
  'validate',
  'init',
  'keygen',
  'completion',
] as const;
/** `run` is what it does without the name of a command. */
export type CommandName = 'run' | (typeof COMMAND_NAMES)[number];

/** An option that may come from the command line, a variable or a config file. */
export interface OptionSpec<T = unknown> {
  /** As commander reads them. */
  readonly flags: string;
  readonly description: string;
  /** The commands that take it. */
  readonly commands: readonly CommandName[];
  /** What a run has to be for it to mean something; absent when it always does. */
  readonly roles?: readonly RunRole[];
  /** What a value must be, for messages. */
  readonly expected: string;
  /** What applies when nobody says anything; null for nothing at all. */
  readonly fallback: T | null;
  /** True for an option that is on or off. */
  readonly isSwitch?: boolean;
  /** True when giving it again adds to it. */
  readonly isCount?: boolean;
  /** True when giving it again adds to the list that its value is. */
  readonly isList?: boolean;
  /** True for a path, or a list of them, relative to the config file that names it. */
  readonly isPath?: boolean;
  /** The values that it can have, when they are few. */
  readonly choices?: readonly string[];
  /** The value that a text stands for, undefined when it stands for none. */
  readonly parse: (text: string) => T | undefined;
  /** Tells whether what stands in a config file is a value. */
  readonly accepts: (value: unknown) => value is T;
}

const MAX_LEASE_SECONDS = 3600;
/** Numbers can still be added to. */
const MAX_NUMBER = Number.MAX_SAFE_INTEGER - 1;

const LOG_FORMATS = ['text', 'json'] as const;
/** How a log line looks. */
export type LogFormat = (typeof LOG_FORMATS)[number];

/** What concerns a run, and is shown by `mrun show`. */
const RUN: readonly CommandName[] = ['run', 'show'];
/** Where builders are run. */
const BUILDING = ['local', 'manager'] as const satisfies readonly RunRole[];
/** Where items are processed. */
const PROCESSING = ['local', 'worker'] as const satisfies readonly RunRole[];
const DISTRIBUTED = ['manager', 'worker'] as const satisfies readonly RunRole[];
const MANAGER = ['manager'] as const satisfies readonly RunRole[];
const WORKER = ['worker'] as const satisfies readonly RunRole[];

/**
 * All options, by their keys in a config file. There are no others: flags, variables, config files, completion and the
 * documentation follow from here.
 */
export const OPTIONS = {
  verbose: {
    ...wholeNumber(0),
    flags: '-v, --verbose',
    description: 'log what happens; twice: everything',
    commands: RUN,
    fallback: 0,
    isCount: true,
  },
  numWorkers: {
    ...wholeNumber(1, MAX_WORKERS),
    flags: '-n, --num-workers <n>',
    description: 'workers that process items at the same time',
    commands: RUN,
    roles: PROCESSING,
    fallback: 1,
  },
  isolation: {
    ...oneOf(ISOLATIONS),
    flags: '--isolation <kind>',
    description: 'what a worker is: thread (default) or process',
    commands: RUN,
    roles: PROCESSING,
    fallback: 'thread',
  },
  maxWorkerMemory: {
    ...wholeNumber(1),
    flags: '--max-worker-memory <mb>',
    description: 'end workers that need more memory',
    commands: RUN,
    roles: PROCESSING,
    fallback: null,
  },
  parallelBuilders: {
    ...onOrOff(),
    flags: '--parallel-builders',
    description: 'run builders that share no store at the same time',
    commands: RUN,
    roles: ['local'],
    fallback: false,
  },
  failFast: {
    ...onOrOff(),
    flags: '--fail-fast',
    description: 'end a build at its first failed item',
    commands: RUN,
    roles: BUILDING,
    fallback: false,
  },
  maxFailures: {
    ...wholeNumber(0),
    flags: '--max-failures <n>',
    description: 'end a build when more items than this failed',
    commands: RUN,
    roles: BUILDING,
    fallback: null,
  },
  retries: {
    ...wholeNumber(0),
    flags: '--retries <n>',
    description: 'try failed items again, up to n times',
    commands: RUN,
    roles: BUILDING,
    fallback: 0,
  },
  fullRefresh: {
    ...onOrOff(),
    flags: '--full-refresh',
    description: 'build everything anew, also what is up to date',
    commands: RUN,
    roles: BUILDING,
    fallback: false,
  },
  steal: {
    ...onOrOff(),
    flags: '--steal',
    description: 'take targets over from another run',
    commands: RUN,
    roles: BUILDING,
    fallback: false,
  },
  plan: {
    ...onOrOff(),
    flags: '--plan',
    description: 'show what a run would do and why, and do nothing',
    commands: RUN,
    roles: BUILDING,
    fallback: false,
  },
  reporting: {
    ...filePath(),
    flags: '-r, --reporting <file>',
    description: 'a store (JSON or YAML) that receives what happens',
    commands: RUN,
    roles: BUILDING,
    fallback: null,
  },
  logFormat: {
    ...oneOf(LOG_FORMATS),
    flags: '--log-format <format>',
    description: 'log lines as text (default) or json',
    commands: RUN,
    fallback: 'text',
  },
  bars: {
    ...onOrOff(),
    flags: '--no-bars',
    description: 'show no progress bars',
    commands: RUN,
    fallback: true,
  },
  json: {
    ...onOrOff(),
    flags: '--json',
    description: 'write JSON instead of text, also with --plan',
    commands: ['run', 'status', 'failures', 'show'],
    roles: BUILDING,
    fallback: false,
  },
  url: {
    ...text('a URL such as tcp://host:port'),
    flags: '-u, --url <url>',
    description: 'where the manager of a distributed run is',
    commands: RUN,
    roles: DISTRIBUTED,
    fallback: null,
  },
  numChunks: {
    ...wholeNumber(1, MAX_CHUNKS),
    flags: '-N, --num-chunks <n>',
    description: 'be the manager: cut each builder into n chunks',
    commands: RUN,
    roles: MANAGER,
    fallback: null,
  },
  secretFile: {
    ...filePath(),
    flags: '--secret-file <file>',
    description: 'what manager and workers share (mrun keygen)',
    commands: RUN,
    roles: DISTRIBUTED,
    fallback: null,
  },
  lease: {
    ...wholeNumber(1, MAX_LEASE_SECONDS),
    flags: '--lease <seconds>',
    description: 'when a chunk leaves a worker that is silent',
    commands: RUN,
    roles: DISTRIBUTED,
    fallback: 15,
  },
  workerTimeout: {
    ...wholeNumber(1),
    flags: '--worker-timeout <seconds>',
    description: 'end a build to which no worker comes',
    commands: RUN,
    roles: MANAGER,
    fallback: null,
  },
  chunkTimeout: {
    ...wholeNumber(1),
    flags: '--chunk-timeout <seconds>',
    description: 'end a chunk in which nothing moves',
    commands: RUN,
    roles: MANAGER,
    fallback: null,
  },
  retryDead: {
    ...onOrOff(),
    flags: '--retry-dead',
    description: 'try chunks again that were given up',
    commands: RUN,
    roles: MANAGER,
    fallback: false,
  },
  keepAlive: {
    ...onOrOff(),
    flags: '--keep-alive',
    description: 'be a worker for the next runs, too',
    commands: RUN,
    roles: WORKER,
    fallback: false,
  },
  managerTimeout: {
    ...wholeNumber(1),
    flags: '--manager-timeout <seconds>',
    description: 'end a worker to which no manager comes',
    commands: RUN,
    roles: WORKER,
    fallback: null,
  },
  allow: {
    ...pathList(),
    flags: '--allow <folder>',
    description: 'a worker may run code from there, too',
    commands: RUN,
    roles: WORKER,
    fallback: null,
  },
  all: {
    ...onOrOff(),
    flags: '--all',
    description: 'all builds, not only the newest',
    commands: ['status'],
    fallback: false,
  },
  limit: {
    ...wholeNumber(1),
    flags: '--limit <n>',
    description: 'at most so many failures of each builder',
    commands: ['failures'],
    fallback: 20,
  },
  js: {
    ...onOrOff(),
    flags: '--js',
    description: 'JavaScript instead of TypeScript',
    commands: ['init'],
    fallback: false,
  },
  connect: {
    ...onOrOff(),
    flags: '--connect',
    description: 'also connect to the stores',
    commands: ['validate'],
    fallback: false,
  },
} as const satisfies Readonly<Record<string, OptionSpec>>;

export type OptionKey = keyof typeof OPTIONS;
/** What was asked for. What was not is absent: the library has the defaults. */
export type OptionValues = {
  readonly [K in OptionKey]?: NonNullable<ReturnType<(typeof OPTIONS)[K]['parse']>>;
};

/** The keys of all options that a command takes. */
export function optionsOf(command: CommandName): OptionKey[] {
  return (Object.keys(OPTIONS) as OptionKey[]).filter((key) =>
    (OPTIONS[key].commands as readonly CommandName[]).includes(command),
  );
}

/** `numWorkers` → `MAGGMA_NUM_WORKERS`. */
export function variableOf(key: string): string {
  return `MAGGMA_${key.replace(/[A-Z]/g, '_$&').toUpperCase()}`;
}

/** `numWorkers` → `num-workers`. */
export function wordsOf(key: string): string {
  return key.replace(/[A-Z]/g, '-$&').toLowerCase();
}

function wholeNumber(minimum: number, maximum = MAX_NUMBER) {
  const bounds = maximum < MAX_NUMBER ? `from ${minimum} to ${maximum}` : `of at least ${minimum}`;
  const accepts = (value: unknown): value is number =>
    Number.isSafeInteger(value) && (value as number) >= minimum && (value as number) <= maximum;
  return {
    expected: `a whole number ${bounds}`,
    accepts,
    parse(text: string): number | undefined {
      const value = /^\d+$/.test(text) ? Number(text) : undefined;
      return accepts(value) ? value : undefined;
    },
  };
}

function oneOf<const T extends string>(choices: readonly T[]) {
  return {
    choices,
    expected: `one of ${choices.join(', ')}`,
    accepts: (value: unknown): value is T => (choices as readonly unknown[]).includes(value),
    parse: (text: string): T | undefined => choices.find((choice) => choice === text),
  };
}

function text(expected: string) {
  return {
    expected,
    accepts: isText,
    parse: (text: string): string | undefined => text || undefined,
  };
}

function filePath() {
  return { ...text('the path of a file'), isPath: true };
}

function pathList() {
  return {
    isPath: true,
    isList: true,
    expected: 'a list of folders',
    accepts: (value: unknown): value is string[] => Array.isArray(value) && value.every(isText),
    // As in PATH.
    parse(text: string): string[] | undefined {
      const folders = text.split(path.delimiter);
      return folders.every(isText) ? folders : undefined;
    },
  };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

const ON = ['true', '1', 'yes', 'on'];
const OFF = ['false', '0', 'no', 'off'];

function onOrOff() {
  return {
    isSwitch: true,
    expected: 'true or false',
    accepts: (value: unknown): value is boolean => typeof value === 'boolean',
    parse(text: string): boolean | undefined {
      const word = text.toLowerCase();
      if (ON.includes(word)) return true;
      return OFF.includes(word) ? false : undefined;
    },
  };
}
