/**
 * Has to be imported before react: its development build notes every render with `performance.measure`, which in a process
 * that runs for weeks is memory that never comes back. The topology's own code finds NODE_ENV as it was.
 */

const before = process.env.NODE_ENV
process.env.NODE_ENV ??= 'production'

/** To be called once react is loaded. */
export function restoreNodeEnv(): void {
  if (before === undefined) delete process.env.NODE_ENV
}
