/**
 * Sets a field of an object under construction, as data.
 *
 * A plain assignment to `__proto__` would change the prototype instead.
 */
export function setOwn(target: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__') {
    const field = { value, enumerable: true, configurable: true, writable: true };
    Object.defineProperty(target, name, field);
  } else {
    target[name] = value;
  }
}
