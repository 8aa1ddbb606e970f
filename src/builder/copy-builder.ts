import { MSONable } from '../msonable/decorators.js';
import type { Doc } from '../query/document.js';
import { MapBuilder } from './map-builder.js';

/**
 * Copies documents from one store to another, incrementally.
 *
 * Every field is copied except `_id`; `state`, `_bt` and `_process_time` are added.
 *
 * @example
 * ```ts
 * await new CopyBuilder(source, target, { query: { state: 'successful' }, deleteOrphans: true }).run();
 * ```
 */
@MSONable(import.meta.url, {
  module: 'maggma.builders.map_builder',
  aliases: ['maggma.builders'],
  version: '0.74.0',
})
export class CopyBuilder extends MapBuilder {
  unaryFunction(item: Doc): Doc {
    return item;
  }
}
