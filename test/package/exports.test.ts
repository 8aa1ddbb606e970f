import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = new URL('../../', import.meta.url);
const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));

/** What each entry of the package exports. A change here is a change for users: say so in the changelog. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  '.': [
    'AliasingStore',
    'BatchCursor',
    'Binary',
    'Bookkeeper',
    'BrokerError',
    'BuildAbortedError',
    'BuildFailedError',
    'Builder',
    'BuilderBusyError',
    'ChunkSizeError',
    'ChunkStalledError',
    'ClassDeclarationError',
    'ConcatStore',
    'CopyBuilder',
    'CursorUsedError',
    'Decimal128',
    'DeserializationError',
    'DistributedAddressError',
    'DistributedAuthError',
    'DistributedProcessor',
    'DistributedProtocolError',
    'DistributedWorker',
    'DuplicateKeysError',
    'FileFormatError',
    'GroupBuilder',
    'IncrementalBuilder',
    'InvalidBuilderError',
    'InvalidDocumentError',
    'InvalidOptionError',
    'InvalidQueryError',
    'ItemTimeoutError',
    'JSONSchemaValidator',
    'JSONStore',
    'LeaseLostError',
    'Long',
    'MINIMAL_CAPABILITIES',
    'MSONable',
    'MaggmaError',
    'ManagerBusyError',
    'MapBuilder',
    'MemoryStore',
    'MissingDependencyError',
    'MongoStore',
    'MongoURIStore',
    'MultiProcessor',
    'NestedRunError',
    'NoManagerError',
    'NoWorkersError',
    'ObjectId',
    'OrphanGuardError',
    'Processor',
    'ProjectionBuilder',
    'RawDocument',
    'ReadOnlyStoreError',
    'RegexTimeoutError',
    'Reporter',
    'RunLockedError',
    'RunStateError',
    'SQLiteStore',
    'SandboxStore',
    'SealError',
    'SecretError',
    'SecretReferenceError',
    'SerialProcessor',
    'SerializationError',
    'Sort',
    'Store',
    'StoreConflictError',
    'StoreConnectionError',
    'StoreNotConnectedError',
    'StoreOperationError',
    'TargetBusyError',
    'Task',
    'TooManyFailuresError',
    'UUID',
    'UnfitWorkerError',
    'UnknownClassError',
    'UnsupportedOperationError',
    'ValidationError',
    'WorkerLostError',
    'WorkerStartError',
    'arg',
    'asDict',
    'compileFilter',
    'dumpfn',
    'dumps',
    'fromDict',
    'importModule',
    'isBuilder',
    'isMaggmaError',
    'isMain',
    'loadfn',
    'loads',
    'logTo',
    'makeSecretFile',
    'msonableSchema',
    'option',
    'readBuilds',
    'registerRedirect',
    'resolveSecret',
  ],
  './testing': ['replay', 'runBuilder', 'testProcessor', 'testStore'],
};

const modules = Object.entries(manifest.exports as Record<string, { default: string }>).filter(
  ([entry]) => entry !== './package.json',
);

test.each(modules)('the entry %s exports exactly the listed names', async (entry, target) => {
  const names = Object.keys(await import(new URL(target.default, root).href));
  expect(names.sort()).toEqual(NAMES[entry]);
});

test('modules that register classes are not declared free of side effects', () => {
  expect(manifest).not.toHaveProperty('sideEffects');
});

test('bundling has renamed no class: documents and messages name them', async () => {
  const library = await import(new URL('dist/index.js', root).href);
  for (const [name, value] of Object.entries<{ name?: unknown }>(library))
    if (typeof value === 'function') expect(value.name).toBe(name);
});

test('every entry of the package exists, with its types', () => {
  const targets = Object.values(manifest.exports as Record<string, string | object>).flatMap(
    (entry) => (typeof entry === 'string' ? [entry] : Object.values(entry)),
  );
  expect(targets).toContain('./dist/index.d.ts');
  for (const target of [...targets, manifest.bin.mrun])
    expect(existsSync(fileURLToPath(new URL(target, root))), target).toBe(true);
});
