/** Waiting between tries: growing pauses with jitter, so that many clients do not come back at the same moment. */

export interface Backoff {
  readonly firstMs: number
  readonly maxMs: number
  /** 0 to 1, uniformly; Math.random unless a test brings its own. */
  readonly random?: () => number
}

/** The pause before try `attempt` (0 for the first retry): doubled each time, half of it random. */
export function backoffMs(attempt: number, { firstMs, maxMs, random = Math.random }: Backoff): number {
  const full = Math.min(maxMs, firstMs * 2 ** Math.min(attempt, 20))
  return Math.ceil(full / 2 + (full / 2) * random())
}

/** Resolves after the pause, or as soon as the signal is aborted; rejects never. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    if (signal?.aborted) done()
    else signal?.addEventListener('abort', done)
  })
}
