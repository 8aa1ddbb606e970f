/** The classes that the golden files name: our own, and two that stand for classes of a Python user. */
import { GroupBuilder } from '../../src/builder/group-builder.js';
import { arg, MSONable, option } from '../../src/msonable/decorators.js';

export { CopyBuilder } from '../../src/builder/copy-builder.js';
export { JSONSchemaValidator } from '../../src/store/json-schema-validator.js';
export { JSONStore } from '../../src/store/memory/json-store.js';
export { MemoryStore } from '../../src/store/memory/memory-store.js';
export { MongoStore } from '../../src/store/mongo/mongo-store.js';
export { MongoURIStore } from '../../src/store/mongo/mongo-uri-store.js';
export { AliasingStore } from '../../src/store/wrap/aliasing-store.js';
export { ConcatStore } from '../../src/store/wrap/concat-store.js';
export { SandboxStore } from '../../src/store/wrap/sandbox-store.js';

/** Python's test class of that name: one argument, and one with a default. */
@MSONable(import.meta.url, { module: 'golden_pkg.models', version: '1.2.3' })
export class Simple {
  @arg() readonly a: unknown;
  @option() readonly b: unknown;
  constructor(a: unknown, options: { b?: unknown } = {}) {
    this.a = a;
    this.b = options.b === undefined ? 2 : options.b;
  }
}

/** Python's test class of that name: a group builder without arguments of its own. */
@MSONable(import.meta.url, { module: 'golden_pkg.builders', version: '1.2.3' })
export class SumBuilder extends GroupBuilder {
  unaryFunction() {
    return {};
  }
}
