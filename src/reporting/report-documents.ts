import { ObjectId } from 'bson';
import type { BuildEndedEvent, BuildEvent, BuildStartedEvent } from '../builder/build-events.js';
import type { PortableError } from '../errors/error-transfer.js';
import { redact } from '../errors/redact.js';
import type { Doc } from '../query/document.js';
import { machineId, pidScope } from '../util/machine.js';

/** Messages may quote whole documents. */
const MESSAGE_LENGTH = 2000;

/** Says that a build began, and how often it will say that it lives. */
export function startedDocument(event: BuildStartedEvent, heartbeatMs: number): Doc {
  const doc = documentOf('BUILD_STARTED', event);
  return {
    ...doc,
    total: event.total,
    sources: event.sources.map(redact),
    targets: event.targets.map(redact),
    builder_version: event.version,
    processed: 0,
    failed: 0,
    heartbeat: doc['last_updated'],
    heartbeat_ms: heartbeatMs,
    pid: process.pid,
    pid_scope: pidScope(),
  };
}

/** Says that results are being written. */
export function updateDocument(event: BuildEvent, items: number): Doc {
  return { ...documentOf('UPDATE', event), items };
}

/** Says how a build ended. */
export function endedDocument(event: BuildEndedEvent): Doc {
  const { status, total, processed, succeeded, failed, skipped, invalid } = event;
  const { errors, warnings, durationMs, stageMs, error } = event;
  return {
    ...documentOf('BUILD_ENDED', event),
    errors,
    warnings,
    status,
    total,
    ...{ processed, succeeded, failed, skipped, invalid },
    duration_ms: Math.round(durationMs),
    items_per_second: durationMs > 0 ? (processed * 1000) / durationMs : 0,
    stage_ms: {
      get: Math.round(stageMs.get),
      process: Math.round(stageMs.process),
      update: Math.round(stageMs.update),
    },
    ...(error && { error: describe(error) }),
  };
}

/** The fields that Python writes into every document. */
function documentOf(name: string, { builder, buildId }: BuildEvent): Doc {
  return {
    _id: new ObjectId(),
    event: name,
    builder,
    build_id: buildId,
    machine: machineId(),
    last_updated: new Date(),
  };
}

function describe({ name, message, code }: PortableError): Doc {
  return {
    name,
    message: redact(message).slice(0, MESSAGE_LENGTH),
    ...(code !== undefined && { code }),
  };
}
