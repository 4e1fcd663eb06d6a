/**
 * Whether a record may pass, of a key that lets so many pass in any period (a sliding-window log): among the records passed, any span of
 * [t, t + period) has at most the limit, however out of order they came. Times of passes lie in a window store, in buckets of one
 * period: they end with stream time, without a tombstone, and a record looks at its bucket and its neighbours.
 */

import { Passes } from '../common/passes.ts'
import type { WindowStore } from '../state/store.ts'

export interface LimiterArgs<K> {
  readonly store: WindowStore<K, Passes>
  /** Records that may pass in a period. */
  readonly limit: number
  readonly periodMs: number
  /** How far a record may be behind stream time and still be told apart, ms. */
  readonly graceMs: number
}

/** `late`: what it would have to be compared with may be gone. */
export type Verdict = 'passes' | 'exceeds' | 'late'

/** A record that passes is remembered. */
export function limiter<K>({ store, limit, periodMs, graceMs }: LimiterArgs<K>): (key: K, time: number) => Verdict {
  return (key, time) => {
    if (time > store.streamTime) store.streamTime = time
    else if (time < store.streamTime - graceMs) return 'late'
    const start = time - (time % periodMs)
    const before = start >= periodMs ? store.get(key, start - periodMs)?.value : undefined
    const now = store.get(key, start)?.value
    const after = store.streamTime >= start + periodMs ? store.get(key, start + periodMs)?.value : undefined
    const isLatest = after === undefined && (now === undefined || now.latest <= time)
    const fits = isLatest
      ? sinceIn(before, time - periodMs) + (now?.times.length ?? 0) < limit
      : fitsBetween([...from(before, time - periodMs), ...from(now, -1), ...from(after, -1)], time, limit, periodMs)
    if (!fits) return 'exceeds'
    const passed = now ?? new Passes()
    passed.add(time)
    store.put(key, start, passed, passed.latest)
    return 'passes'
  }
}

/** How many are after `time`. */
function sinceIn(passed: Passes | undefined, time: number): number {
  return passed === undefined ? 0 : passed.times.length - passed.upTo(time)
}

/** Those after `time`. */
function from(passed: Passes | undefined, time: number): readonly number[] {
  return passed === undefined ? [] : passed.times.slice(passed.upTo(time))
}

/** Whether no `limit` of the times, which are in order, lie in one period with a further one. */
function fitsBetween(times: readonly number[], time: number, limit: number, periodMs: number): boolean {
  const at = times.findIndex((one) => one > time)
  const all = at < 0 ? [...times, time] : [...times.slice(0, at), time, ...times.slice(at)]
  const place = at < 0 ? times.length : at
  for (let first = Math.max(0, place - limit); first <= place && first + limit < all.length; first++) {
    if ((all[first + limit] as number) - (all[first] as number) < periodMs) return false
  }
  return true
}
