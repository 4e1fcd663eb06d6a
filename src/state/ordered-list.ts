/**
 * Items in order, in runs of bounded length: to add, find or take out one costs a search and a short move, however many there are;
 * adding at the end, where most come, costs neither. Invariant: no run is empty, and no two items compare as equal.
 */

const longestRun = 256

/** `B` is what the order looks at, so that a bound need not be an item. */
export class OrderedList<T extends B, B = T> {
  readonly #compare: (a: B, b: B) => number
  #runs: T[][] = []

  constructor(compare: (a: B, b: B) => number) {
    this.#compare = compare
  }

  get first(): T | undefined {
    return this.#runs[0]?.[0]
  }

  get last(): T | undefined {
    return this.#runs.at(-1)?.at(-1)
  }

  get isEmpty(): boolean {
    return this.#runs.length === 0
  }

  add(item: T): void {
    const runs = this.#runs
    const lastRun = runs.at(-1)
    if (lastRun === undefined) {
      // Most lists have one item: an array that grows takes room for 17.
      this.#runs = [[item]]
      return
    }
    if (this.#compare(lastRun.at(-1) as T, item) < 0) {
      if (lastRun.length < longestRun) lastRun.push(item)
      else runs.push([item])
      return
    }
    const at = this.#runOf(item)
    const run = runs[at] as T[]
    run.splice(this.#indexIn(run, item), 0, item)
    if (run.length > longestRun) runs.splice(at + 1, 0, run.splice(longestRun >>> 1))
  }

  /** Takes out an item that is in the list; the first one, as most are, without a search. */
  remove(item: T): void {
    const at = this.first === item ? 0 : this.#runOf(item)
    const run = this.#runs[at]
    if (run === undefined) return
    const index = run[0] === item ? 0 : this.#indexIn(run, item)
    if (run[index] !== item) return
    if (run.length === 1) this.#runs.splice(at, 1)
    else run.splice(index, 1)
  }

  clear(): void {
    this.#runs = []
  }

  /** The first item that does not come before the bound. */
  from(bound: B): T | undefined {
    const at = this.#runOf(bound)
    const run = this.#runs[at]
    if (run === undefined) return undefined
    const index = this.#indexIn(run, bound)
    return index < run.length ? run[index] : this.#runs[at + 1]?.[0]
  }

  /** The last item that comes before the bound. */
  before(bound: B): T | undefined {
    const { last } = this
    if (last !== undefined && this.#compare(last, bound) < 0) return last
    const at = this.#runOf(bound)
    const run = this.#runs[at]
    if (run === undefined) return undefined
    // A run but the first may begin with the bound itself.
    return run[this.#indexIn(run, bound) - 1] ?? this.#runs[at - 1]?.at(-1)
  }

  /** Shows the items that do not come before the bound, in order, for as long as `visit` says true. */
  visitFrom(bound: B, visit: (item: T) => boolean): void {
    const runs = this.#runs
    let at = this.#runOf(bound)
    let run = runs[at]
    if (run === undefined) return
    let index = this.#indexIn(run, bound)
    for (;;) {
      for (; index < run.length; index++) if (!visit(run[index] as T)) return
      run = runs[++at]
      if (run === undefined) return
      index = 0
    }
  }

  /** Index of the last run that begins at or before the bound, else 0. */
  #runOf(bound: B): number {
    const runs = this.#runs
    let low = 0
    let high = runs.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.#compare(runs[middle]?.[0] as T, bound) <= 0) low = middle
      else high = middle - 1
    }
    return low
  }

  /** Index of the first item of the run that does not come before the bound. */
  #indexIn(run: readonly T[], bound: B): number {
    let low = 0
    let high = run.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#compare(run[middle] as T, bound) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}
