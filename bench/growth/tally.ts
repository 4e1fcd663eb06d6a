/** What an output includes, group by group, beside what its input should have made of it. */

import type { Groups } from './axis.ts'

export class Tally {
  readonly #groups: Groups
  readonly #included: Uint32Array
  #stray = 0
  #outputs = 0

  constructor(groups: Groups) {
    this.#groups = groups
    this.#included = new Uint32Array(groups.count)
  }

  get outputs(): number {
    return this.#outputs
  }

  /** Takes an output record, in order within its group. */
  take(key: Buffer, value: Buffer): void {
    const { count, countIn } = this.#groups
    const group = this.#groups.in(key, value)
    this.#outputs++
    if (!(group >= 0 && group < count)) this.#stray++
    else this.#included[group] = countIn === null ? (this.#included[group] as number) + 1 : countIn(value)
  }

  /** @returns what is lost or doubled of the input records with these numbers; null when nothing is. */
  difference(from: number, to: number): string | null {
    if (this.#stray > 0) return `${this.#stray} output records belong to no group`
    const wanted = new Uint32Array(this.#groups.count)
    for (let number = from; number < to; number++) {
      for (const group of this.#groups.of(number)) wanted[group] = (wanted[group] as number) + 1
    }
    const group = wanted.findIndex((count, index) => count !== this.#included[index])
    return group < 0 ? null : `group ${group} includes ${this.#included[group]} input records, not ${wanted[group]}`
  }
}
