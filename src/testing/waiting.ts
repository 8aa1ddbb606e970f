import { AssertionError } from 'node:assert/strict';

/**
 * Waits for a promise, but not for ever.
 *
 * @param what - What is waited for, for the message.
 */
export async function within<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expiry = new Promise<never>((_, reject) => {
    const message = `${what} did not end within ${ms} ms`;
    timer = setTimeout(() => reject(new AssertionError({ message })), ms);
  });
  try {
    return await Promise.race([promise, expiry]);
  } finally {
    clearTimeout(timer);
  }
}
