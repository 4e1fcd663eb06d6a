/**
 * Sliding windows on a window store: those of a key that start in one stretch are a row, a list in the order of their starts. A record looks at the
 * windows from two time differences before it to 1 ms after it, which is three stretches at most, so that it finds them by look-ups and a binary search;
 * a commit writes only the stretches that records have touched, however long the grace is. Rows are found, cached, committed and expired as those of
 * any window store.
 */

import { type SlidingWindows, slidingStretches } from '../common/windows.ts'
import { timesIn } from './session-codec.ts'
import type { Pane, SlidingStore, WindowStore } from './store.ts'
import type { ClosingRule } from './window.ts'

const timestampBytes = 8

/** In memory a list is changed in place: it is shared with nobody, and a discard forgets it. */
type LivePane<V> = { -readonly [part in keyof Pane<V>]: Pane<V>[part] }

/** A row is the windows of a stretch, known by their starts. */
export function slidingClosing({ timeDifferenceMs, graceMs }: SlidingWindows): ClosingRule {
  return {
    timesIn: (_stretch, row) => timesIn(row, timestampBytes, 'start'),
    closedUntil: (streamTime) => streamTime - graceMs - timeDifferenceMs - 1,
  }
}

export function slidingStore<K, V>(store: WindowStore<K, Pane<V>[]>, windows: SlidingWindows): SlidingStore<K, V> {
  const stretchMs = slidingStretches(windows).advanceMs
  const stretchOf = (start: number): number => start - (start % stretchMs)
  /** Where the last window was found; the next is mostly the one before it. */
  let near = 0
  /** How many windows of the list start at `start` or earlier. */
  const countTo = (list: readonly Pane<V>[], start: number): number => {
    if (isCount(list, near, start)) return near
    if (near > 0 && isCount(list, near - 1, start)) near--
    else near = search(list, start)
    return near
  }
  return {
    closings: store.closings,
    get streamTime() {
      return store.streamTime
    },
    set streamTime(time) {
      store.streamTime = time
    },
    get(key, start) {
      const list = store.get(key, stretchOf(start))?.value
      const pane = list?.[countTo(list, start) - 1]
      return pane?.start === start ? pane : undefined
    },
    latest(key, from, to) {
      for (let stretch = stretchOf(to); stretch + stretchMs > from; stretch -= stretchMs) {
        const list = store.get(key, stretch)?.value
        const pane = list?.[countTo(list, to) - 1]
        if (pane !== undefined) return pane.start >= from ? pane : undefined
      }
      return undefined
    },
    put(key, start, value, timestamp) {
      const stretch = stretchOf(start)
      const row = store.get(key, stretch)
      const list = (row?.value ?? []) as LivePane<V>[]
      const count = countTo(list, start)
      const pane = list[count - 1]
      if (pane?.start === start) {
        if (value === null) list.splice(count - 1, 1)
        else {
          pane.value = value
          pane.timestamp = timestamp
        }
      } else if (value !== null) list.splice(count, 0, { start, value, timestamp })
      const newest = row !== undefined && row.timestamp > timestamp ? row.timestamp : timestamp
      store.put(key, stretch, list.length === 0 ? null : list, newest)
    },
  }
}

function isCount<V>(list: readonly Pane<V>[], count: number, start: number): boolean {
  if (count > list.length) return false
  const last = list[count - 1]
  const next = list[count]
  return (last === undefined ? count === 0 : last.start <= start) && (next === undefined || next.start > start)
}

function search<V>(list: readonly Pane<V>[], start: number): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((list[middle] as Pane<V>).start <= start) low = middle + 1
    else high = middle
  }
  return low
}
