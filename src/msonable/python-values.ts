import { ObjectId, UUID } from 'bson';
import { fromPythonDatetime } from './datetime.js';
import type { PlainRecord } from './plain-value.js';
import { registerValueType } from './registry.js';

registerValueType('datetime', 'datetime', ({ string }) => {
  const date = fromPythonDatetime(string);
  if (date) return date;
  throw new TypeError(
    `expected "string" to be a datetime such as "2020-01-02 03:04:05", got ${JSON.stringify(string)}`,
  );
});

registerValueType('bson.objectid', 'ObjectId', ({ oid }) => toObjectId(oid));

registerValueType('uuid', 'UUID', ({ string }) => toUuid(string));

// Python's enums of the core. Their plain values mean the same in every place that takes them.
for (const module of ['maggma.core.store', 'maggma.core']) {
  registerValueType(module, 'Sort', memberOf([1, -1]));
  registerValueType(module, 'DateTimeFormat', memberOf(['datetime', 'isoformat']));
}

function memberOf(members: readonly unknown[]): (dict: PlainRecord) => unknown {
  return ({ value }) => {
    if (members.includes(value)) return value;
    const expected = members.map((member) => JSON.stringify(member)).join(' or ');
    throw new TypeError(`expected "value" to be ${expected}, got ${JSON.stringify(value)}`);
  };
}

/** An ObjectId from its 24 hexadecimal digits; anything else is an error. */
export function toObjectId(value: unknown): ObjectId {
  if (typeof value === 'string' && /^[0-9a-f]{24}$/i.test(value)) return new ObjectId(value);
  throw new TypeError(`expected an ObjectId as 24 hexadecimal digits, got ${shown(value)}`);
}

/** A UUID from its 32 hexadecimal digits, with dashes or without; anything else is an error. */
export function toUuid(value: unknown): UUID {
  const digits = typeof value === 'string' ? value.replaceAll('-', '') : '';
  if (/^[0-9a-f]{32}$/i.test(digits)) return new UUID(digits);
  throw new TypeError(`expected a UUID as 32 hexadecimal digits, got ${shown(value)}`);
}

const shown = (value: unknown): string => String(JSON.stringify(value)).slice(0, 80);
