type EmitWarning = typeof process.emitWarning;

/**
 * Does something during which warnings of one sort are not shown; all others are.
 *
 * @param isExpected - Tells the sort, by the warning's type and text.
 * @param action - Synchronous, so that nobody else's warnings come in between.
 */
export function withoutWarning<T>(
  isExpected: (type: string, message: string) => boolean,
  action: () => T,
): T {
  const emit = process.emitWarning;
  const filtered = (warning: string | Error, ...rest: unknown[]): void => {
    const [options] = rest;
    const type = typeof options === 'object' ? (options as { type?: unknown })?.type : options;
    const message = typeof warning === 'string' ? warning : warning.message;
    if (!isExpected(String(type), message)) Reflect.apply(emit, process, [warning, ...rest]);
  };
  process.emitWarning = filtered as EmitWarning;
  try {
    return action();
  } finally {
    process.emitWarning = emit;
  }
}
