import { EventEmitter } from 'eventemitter3';

type Listener = (...args: unknown[]) => unknown;

/**
 * An emitter whose listeners cannot break whoever emits.
 *
 * A listener that throws, or whose promise rejects, becomes a process warning that names the event; the other listeners
 * hear of the event all the same.
 */
export class GuardedEmitter<
  Events extends EventEmitter.ValidEventTypes,
> extends EventEmitter<Events> {
  readonly #guards = new WeakMap<Listener, Listener>();

  override on<K extends EventEmitter.EventNames<Events>>(
    event: K,
    listener: EventEmitter.EventListener<Events, K>,
  ): this {
    return super.on(event, this.#guard(event, listener));
  }

  /** The same as `on`. */
  override addListener<K extends EventEmitter.EventNames<Events>>(
    event: K,
    listener: EventEmitter.EventListener<Events, K>,
  ): this {
    return this.on(event, listener);
  }

  override once<K extends EventEmitter.EventNames<Events>>(
    event: K,
    listener: EventEmitter.EventListener<Events, K>,
  ): this {
    return super.once(event, this.#guard(event, listener));
  }

  /** Removes a listener, or all listeners of an event. */
  override off<K extends EventEmitter.EventNames<Events>>(
    event: K,
    listener?: EventEmitter.EventListener<Events, K>,
  ): this {
    const guard = listener && this.#guards.get(listener as Listener);
    return super.off(event, (guard ?? listener) as typeof listener);
  }

  override removeListener<K extends EventEmitter.EventNames<Events>>(
    event: K,
    listener?: EventEmitter.EventListener<Events, K>,
  ): this {
    return this.off(event, listener);
  }

  #guard<K extends EventEmitter.EventNames<Events>>(
    event: K,
    listener: EventEmitter.EventListener<Events, K>,
  ): EventEmitter.EventListener<Events, K> {
    const call = listener as Listener;
    const guard =
      this.#guards.get(call) ??
      ((...args: unknown[]) => {
        const complain = (error: unknown) => warn(String(event), error);
        try {
          const returned = call(...args);
          if (returned instanceof Promise) returned.catch(complain);
        } catch (error) {
          complain(error);
        }
      });
    this.#guards.set(call, guard);
    return guard as EventEmitter.EventListener<Events, K>;
  }
}

function warn(event: string, error: unknown): void {
  const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.emitWarning(`A listener of ${event} threw: ${problem}`, 'MaggmaListenerWarning');
}
