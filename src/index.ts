// biome-ignore-all assist/source/organizeImports: the names are grouped by concept, as a reader looks for them.

/**
 * Stores, builders, processors, serialization and errors: what programs import from `maggma`.
 *
 * @module maggma
 */

// Stores
export { MemoryStore } from './store/memory/memory-store.js';
export type { MemoryStoreOptions } from './store/memory/memory-store.js';
export { JSONStore } from './store/memory/json-store.js';
export type { JSONStoreOptions } from './store/memory/json-store.js';
export { MongoStore } from './store/mongo/mongo-store.js';
export { MongoURIStore } from './store/mongo/mongo-uri-store.js';
export type {
  MongoOptions,
  MongoStoreOptions,
  MongoURIStoreOptions,
} from './store/mongo/mongo-options.js';
export type { SQLiteStoreOptions } from './store/sqlite/sqlite-store.js';
export { SQLiteStore } from './store/sqlite/sqlite-store.js';
export { AliasingStore } from './store/wrap/aliasing-store.js';
export type { AliasingStoreOptions } from './store/wrap/aliasing-store.js';
export { ConcatStore } from './store/wrap/concat-store.js';
export type { ConcatStoreOptions } from './store/wrap/concat-store.js';
export { SandboxStore } from './store/wrap/sandbox-store.js';
export type { SandboxStoreOptions } from './store/wrap/sandbox-store.js';
export { Store } from './store/store.js';
export type { Find } from './store/store.js';
export { MINIMAL_CAPABILITIES } from './store/store-capabilities.js';
export type { StoreCapabilities } from './store/store-capabilities.js';
export type { Claim, ClaimBoard } from './store/claim-board.js';
export { BatchCursor } from './store/cursor.js';
export type { Cursor, KeyCursor, OpenCursor } from './store/cursor.js';
export { RawDocument } from './store/raw-document.js';
export type {
  LastUpdatedType,
  NewerInOptions,
  QueryOptions,
  Refusal,
  StoreOptions,
  UpdateOptions,
  UpdateResult,
} from './store/store-options.js';
export type { Validator } from './store/validator.js';
export { JSONSchemaValidator } from './store/json-schema-validator.js';
export type { JSONSchemaValidatorOptions } from './store/json-schema-validator.js';
export { msonableSchema } from './store/msonable-schema.js';

// Queries
export type { Doc } from './query/document.js';
export { compileFilter } from './query/criteria.js';
export type { Criteria, Filter, FilterOptions } from './query/criteria.js';
export type { ValueRange } from './query/index-bounds.js';
export type { CompiledProjection, Projection } from './query/projection.js';
export { Sort } from './query/sort.js';
export type { CompiledSort, SortSpec } from './query/sort.js';

// Values of documents
export { Binary, Decimal128, Long, ObjectId, UUID } from 'bson';

// Builders
export { Builder, isBuilder } from './builder/builder.js';
export type {
  AnyBuilder,
  BuilderOptions,
  BuilderRunOptions,
  BuildRunner,
} from './builder/builder.js';
export { IncrementalBuilder } from './builder/incremental-builder.js';
export type { Head } from './builder/incremental-builder.js';
export type { IncrementalBuilderOptions } from './builder/incremental-options.js';
export { Bookkeeper } from './builder/build-record.js';
export type { Bookkeeping, FailureDetails } from './builder/build-record.js';
export type { PlanEntry, PlanReason } from './builder/build-plan.js';
export type { Tally } from './builder/tally.js';
export { MapBuilder } from './builder/map-builder.js';
export type { MapBuilderOptions } from './builder/map-builder.js';
export { CopyBuilder } from './builder/copy-builder.js';
export { GroupBuilder } from './builder/group-builder.js';
export type { GroupBuilderOptions } from './builder/group-options.js';
export { ProjectionBuilder } from './builder/projection-builder.js';
export type { ProjectionBuilderOptions, ProjectionItem } from './builder/projection-builder.js';
export type { ProjectedFields } from './builder/projection-fields.js';
export type { BuildLogger } from './builder/build-logger.js';
export type {
  BuildCounts,
  BuildReport,
  BuildStatus,
  FailureCause,
  ItemFailure,
} from './builder/build-report.js';
export type { FailureRecord } from './builder/failure-record.js';
export type {
  BuildEndedEvent,
  BuildEvent,
  BuildEvents,
  BuildStartedEvent,
  ItemFailedEvent,
  ProgressEvent,
  UpdateEvent,
} from './builder/build-events.js';

// Processors
export { Processor } from './processor/processor.js';
export type { RunAllOptions, RunOptions } from './processor/processor.js';
export type { ProcessorOptions } from './processor/processor-options.js';
export type { Executor, Lane } from './processor/executor.js';
export type { Failed, Outcome, Unfinished } from './processor/outcome.js';
export { Task } from './processor/task.js';
export type { TaskHistory } from './processor/task.js';
export type { RetryOptions } from './processor/retry-queue.js';
export { SerialProcessor } from './processor/serial/serial-processor.js';
export { MultiProcessor } from './processor/multiprocess/multi-processor.js';
export type { Isolation } from './util/option-values.js';
export type { MultiProcessorOptions } from './processor/multiprocess/multi-processor-options.js';
export { DistributedProcessor } from './processor/distributed/distributed-processor.js';
export type { ClusterState } from './processor/distributed/distributed-processor.js';
export { makeSecretFile } from './processor/distributed/secret-file.js';
export { DistributedWorker } from './processor/distributed/distributed-worker.js';
export type { WorkerReport, WorkerRunOptions } from './processor/distributed/distributed-worker.js';
export type {
  DistributedOptions,
  DistributedProcessorOptions,
  DistributedWorkerOptions,
} from './processor/distributed/distributed-options.js';
export type { LogEntry } from './util/log-entry.js';
export type { LogToOptions } from './util/log-to.js';
export { logTo } from './util/log-to.js';
export type { Logger } from './util/logger.js';

// Reporting
export { Reporter } from './reporting/reporter.js';
export type { ReporterOptions } from './reporting/reporter-options.js';
export { readBuilds } from './reporting/build-history.js';
export type { BuildState, ReadBuildsOptions, RecordedBuild } from './reporting/build-history.js';

// Serialization
export { arg, MSONable, option } from './msonable/decorators.js';
export type { FieldDecorator, MSONableOptions } from './msonable/decorators.js';
export type { AnyClass, FieldOptions, FieldSpec } from './msonable/fields.js';
export { asDict, dumpfn, dumps } from './msonable/dump.js';
export type { DumpfnOptions, DumpsOptions } from './msonable/dump.js';
export { fromDict, loadfn, loads } from './msonable/load.js';
export type { LoadfnOptions, LoadOptions } from './msonable/load.js';
export { importModule } from './msonable/import-module.js';
export { isMain } from './msonable/is-main.js';
export { registerRedirect } from './msonable/registry.js';
export type { MsonDict, PlainRecord, PlainValue } from './msonable/plain-value.js';
export type { FileFormat } from './msonable/file-format.js';
export { resolveSecret } from './util/secret-reference.js';
export type { SecretPlace } from './util/secret-reference.js';

// Errors
export { isMaggmaError, MaggmaError } from './errors/maggma-error.js';
export type { PortableError } from './errors/error-transfer.js';
export {
  InvalidOptionError,
  MissingDependencyError,
  SecretReferenceError,
} from './errors/option-errors.js';
export { InvalidQueryError, RegexTimeoutError } from './errors/query-errors.js';
export {
  CursorUsedError,
  InvalidDocumentError,
  ReadOnlyStoreError,
  StoreConflictError,
  StoreConnectionError,
  StoreNotConnectedError,
  StoreOperationError,
  UnsupportedOperationError,
  ValidationError,
} from './errors/store-errors.js';
export {
  BuilderBusyError,
  DuplicateKeysError,
  InvalidBuilderError,
  ItemTimeoutError,
  OrphanGuardError,
  TooManyFailuresError,
} from './errors/builder-errors.js';
export {
  BrokerError,
  ChunkSizeError,
  ChunkStalledError,
  DistributedAddressError,
  DistributedAuthError,
  DistributedProtocolError,
  LeaseLostError,
  ManagerBusyError,
  NoManagerError,
  NoWorkersError,
  RunLockedError,
  RunStateError,
  SealError,
  SecretError,
  UnfitWorkerError,
} from './errors/distributed-errors.js';
export type { TargetOwner } from './errors/processor-errors.js';
export {
  NestedRunError,
  TargetBusyError,
  WorkerLostError,
  WorkerStartError,
} from './errors/processor-errors.js';
export type { RefusedOrphans } from './errors/builder-errors.js';
export { BuildAbortedError, BuildFailedError } from './builder/build-errors.js';
export {
  ClassDeclarationError,
  DeserializationError,
  FileFormatError,
  SerializationError,
  UnknownClassError,
} from './errors/serialization-errors.js';
