/** The times at which records of one key were let pass, in order. It grows in place: a store holds the live one. */

export class Passes {
  readonly times: number[]

  constructor(times: number[] = []) {
    this.times = times
  }

  /** The latest, ms; -1 before the first. */
  get latest(): number {
    return this.times.at(-1) ?? -1
  }

  add(time: number): void {
    const { times } = this
    if (time >= this.latest) times.push(time)
    else times.splice(this.upTo(time), 0, time)
  }

  /** How many are not after `time`. */
  upTo(time: number): number {
    const { times } = this
    let low = 0
    let high = times.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((times[middle] as number) <= time) low = middle + 1
      else high = middle
    }
    return low
  }
}
