/** The rows that one key has in a span of starts: they lie by their start, so that each is a look-up. */

import type { StoreView } from './view.ts'

export interface Starts {
  /** A multiple of the step, ms. */
  readonly first: number
  /** As the first, and not before it. */
  readonly last: number
  readonly stepMs: number
}

/** Look-ups that are under way at a time. */
const sideBySide = 64

/** Those that there are, with their starts, by these, or the other way round: `timestamp:8 value`. */
export async function* rowsOfKey<K>(
  view: StoreView<K>,
  key: K,
  { first, last, stepMs }: Starts,
  backward: boolean,
): AsyncGenerator<readonly [start: number, stored: Buffer]> {
  const count = (last - first) / stepMs + 1
  for (let done = 0; done < count; done += sideBySide) {
    const starts = Array.from({ length: Math.min(sideBySide, count - done) }, (_, n) => {
      const nth = done + n
      return first + (backward ? count - 1 - nth : nth) * stepMs
    })
    const found = await Promise.all(starts.map((start) => view.get(start, key)))
    for (const [at, stored] of found.entries()) if (stored !== undefined) yield [starts[at] as number, stored]
  }
}
