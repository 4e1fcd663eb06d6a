/** How long a command waits at the most. A timer that runs keeps the process alive: with nothing else to wait for, Node would leave without a word. */

export interface Timer {
  /** Resolves when the time has passed, unless it is cleared before. */
  readonly passed: Promise<void>
  clear(): void
}

/** @param ms undefined: never. */
export function timer(ms: number | undefined): Timer {
  let handle: NodeJS.Timeout | undefined
  const passed = new Promise<void>((resolve) => {
    if (ms !== undefined) handle = setTimeout(resolve, ms)
  })
  return { passed, clear: () => clearTimeout(handle) }
}

/**
 * What the work comes to, if it does in time; it is not called off when it does not, and how it ends then is nobody's failure.
 * @param ms undefined: it is waited for however long it takes.
 * @throws what `late` makes of the seconds that were too few.
 */
export async function within<T>(
  ms: number | undefined,
  work: Promise<T>,
  late: (seconds: number) => Error,
): Promise<T> {
  const limit = timer(ms)
  try {
    return await Promise.race([
      work,
      limit.passed.then(() => {
        throw late((ms as number) / 1000)
      }),
    ])
  } finally {
    limit.clear()
  }
}
