import type { AnyBuilder, BuildReport, Doc, ProcessorOptions, RunOptions } from 'maggma';
import { SerialProcessor } from 'maggma';

/** Makes a processor that does one thing wrong. */
export type Broken = (options?: ProcessorOptions) => SerialProcessor;

type Tell = (name: string, event: Doc) => void;

/** Tampers with events: what is not told is not heard. */
export function withEvents(tamper: (name: string, event: Doc, tell: Tell) => void): Broken {
  return (options) => {
    const processor = new SerialProcessor(options);
    const emit = processor.emit.bind(processor) as unknown as Tell;
    return Object.assign(processor, {
      emit: (name: string, event: Doc) => tamper(name, event, emit),
    });
  };
}

/** Tampers with a builder before it is run, or after it. */
export function withBuilder(tamper: {
  before?: (builder: AnyBuilder) => void;
  after?: (builder: AnyBuilder) => Promise<void>;
}): Broken {
  class Tampering extends SerialProcessor {
    override async run(builder: AnyBuilder, options?: RunOptions): Promise<BuildReport> {
      tamper.before?.(builder);
      try {
        return await super.run(builder, options);
      } finally {
        await tamper.after?.(builder);
      }
    }
  }
  return (options) => new Tampering(options);
}

/** Tampers with results on their way to the target. */
export function withResults(
  tamper: (results: readonly unknown[], builder: AnyBuilder) => readonly unknown[],
): Broken {
  return withBuilder({
    before: (builder) => {
      const { updateTargets } = Object.getPrototypeOf(builder);
      builder.updateTargets = async (results: readonly unknown[]) => {
        const left = tamper(results, builder);
        if (left.length > 0) return updateTargets.call(builder, left);
      };
    },
  });
}

/** Tampers with how an item is processed. */
export function withItems(
  tamper: (item: unknown, processItem: (item: unknown) => unknown) => unknown,
): Broken {
  return withBuilder({
    before: (builder) => {
      const { processItem } = Object.getPrototypeOf(builder);
      builder.processItem = (item: unknown) =>
        tamper(item, (given) => processItem.call(builder, given));
    },
  });
}

/** Tampers with its options. */
export function withOptions(tamper: (options: ProcessorOptions) => ProcessorOptions): Broken {
  return (options = {}) => new SerialProcessor(tamper(options));
}

/** Has methods of its own. */
export function withMethods(
  methods: (processor: SerialProcessor) => {
    readonly [K in 'run' | 'runAll' | 'stop' | 'on']?: unknown;
  },
): Broken {
  return (options) => {
    const processor = new SerialProcessor(options);
    return Object.assign(processor, methods(processor));
  };
}
