/** Holds a feed back to so many records a second: by when each record is due, so that the rate is kept however late a timer is. */

import { setTimeout } from 'node:timers/promises'

export interface Pace {
  /** Called before each record: undefined when it may go now, else what to wait for. */
  next(): Promise<void> | undefined
}

export interface PaceTimers {
  /** ms, monotonic. */
  readonly now: () => number
  readonly sleep: (ms: number) => Promise<void>
}

/** Records this close to their time go together: fewer timers and flushes, and nobody sees the difference. */
const togetherMs = 20

const systemTimers: PaceTimers = {
  now: () => performance.now(),
  sleep: (ms) => setTimeout(ms),
}

/** @param perSecond records a second, above 0. */
export function pace(perSecond: number, { now, sleep }: PaceTimers = systemTimers): Pace {
  let start: number | undefined
  let records = 0
  return {
    next() {
      start ??= now()
      const ahead = start + (records * 1000) / perSecond - now()
      records++
      return ahead < togetherMs ? undefined : sleep(ahead)
    },
  }
}
