/** Long work on many rows, done in slices: the event loop turns between two of them, so that records go on meanwhile. */

import { setImmediate } from 'node:timers/promises'
import { Heap } from '../common/heap.ts'

/** Some milliseconds of work. */
const sliceRows = 4096

/** Says at every so many rows that a slice is done, and a pause is due. */
export function slices(): () => boolean {
  let left = sliceRows
  return () => {
    if (--left > 0) return false
    left = sliceRows
    return true
  }
}

/** Lets everything else that waits for the event loop have its turn. */
export const pause = (): Promise<void> => setImmediate()

interface Run {
  readonly texts: readonly string[]
  at: number
}

/** The texts in their order by code unit, or the other way round; equal ones come one after the other. */
export async function sorted(texts: readonly string[], backward: boolean): Promise<Iterable<string>> {
  const sign = backward ? -1 : 1
  const compare = (a: string, b: string): number => (a < b ? -sign : a > b ? sign : 0)
  const runs: Run[] = []
  for (let from = 0; from < texts.length; from += sliceRows) {
    if (from > 0) await pause()
    runs.push({ texts: texts.slice(from, from + sliceRows).sort(compare), at: 0 })
  }
  return runs.length === 1 ? (runs[0] as Run).texts : merged(runs, compare)
}

function* merged(runs: readonly Run[], compare: (a: string, b: string) => number): Iterable<string> {
  const first = (run: Run): string => run.texts[run.at] as string
  const heap = new Heap<Run>((a, b) => compare(first(a), first(b)) < 0)
  for (const run of runs) heap.push(run)
  for (let run = heap.pop(); run !== undefined; run = heap.pop()) {
    yield first(run)
    run.at++
    if (run.at < run.texts.length) heap.push(run)
  }
}
