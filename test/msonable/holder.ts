import { arg, MSONable, option } from '../../src/msonable/decorators.js';
import { markGiven } from '../../src/msonable/given.js';

export interface HolderOptions {
  query?: unknown;
  chunkSize?: number | null;
  apiToken?: string | null;
  s3URLPrefix?: string;
}

export abstract class Base {
  @option({ write: 'given' }) readonly chunkSize: number | null;
  constructor(options: HolderOptions = {}) {
    markGiven(this, options);
    this.chunkSize = options.chunkSize ?? 1000;
  }
}

/** A class with an argument of each kind. */
@MSONable(import.meta.url, { module: 'maggma_ts.test', version: '1' })
export class Holder extends Base {
  @arg() readonly value: unknown;
  @option({ criteria: true }) readonly query: unknown;
  @option({ secret: true }) readonly apiToken: string | null;
  @option() readonly s3URLPrefix: string | undefined;
  constructor(value: unknown, options: HolderOptions = {}) {
    super(options);
    this.value = value;
    this.query = options.query ?? null;
    this.apiToken = options.apiToken ?? null;
    this.s3URLPrefix = options.s3URLPrefix;
  }
}

/** Not decorated, on purpose. */
export class Forgotten extends Holder {}

/** Refuses some values. */
@MSONable(import.meta.url, { module: 'maggma_ts.test', version: '1' })
export class Strict {
  @arg() readonly size: number;
  constructor(size: number) {
    if (!(size > 0)) throw new RangeError(`Expected option \`size\` to be positive, got ${size}`);
    this.size = size;
  }
}
