/**
 * What a task has to do when a time has come. Times lie on a grid: of stream time on the multiples of the interval, of the wall
 * clock on steps from the task's start. A look calls what is due once, however many intervals have passed, and the grid is kept
 * (Kafka Streams: PunctuationQueue, PunctuationSchedule).
 */

import type { Punctuate, PunctuationType, Schedule } from '../operators/punctuation.ts'

interface Punctuation {
  readonly intervalMs: number
  readonly punctuate: Punctuate
  /** When it is due next, ms. */
  next: number
}

export class Punctuations {
  readonly #ofStreamTime: Punctuation[] = []
  readonly #ofWallClock: Punctuation[] = []
  /** Stream time at which something is due; Infinity when nothing ever is. */
  nextStreamTime = Number.POSITIVE_INFINITY
  /** As `nextStreamTime`, by the wall clock. */
  nextWallClock = Number.POSITIVE_INFINITY

  readonly schedule: Schedule = (type, intervalMs, punctuate) => {
    this.#of(type).push({ intervalMs, punctuate, next: Number.POSITIVE_INFINITY })
  }

  /**
   * Sets every time anew. By stream time the first is due with the first record; where stream time is restored, what was due up to
   * it was done and committed with it. By the wall clock the first is due one interval from now.
   */
  start(streamTime: number, wallClock: number): void {
    for (const one of this.#ofStreamTime) one.next = streamTime < 0 ? 0 : after(0, one.intervalMs, streamTime)
    for (const one of this.#ofWallClock) one.next = wallClock + one.intervalMs
    this.#look()
  }

  /** Calls what is due, the earliest first. @returns whether anything was. */
  punctuate(type: PunctuationType, time: number): boolean {
    const due = this.#of(type).filter((one) => one.next <= time)
    for (const one of due.sort((a, b) => a.next - b.next)) {
      one.next = after(one.next, one.intervalMs, time)
      one.punctuate(time)
    }
    this.#look()
    return due.length > 0
  }

  #of(type: PunctuationType): Punctuation[] {
    return type === 'stream-time' ? this.#ofStreamTime : this.#ofWallClock
  }

  #look(): void {
    this.nextStreamTime = earliest(this.#ofStreamTime)
    this.nextWallClock = earliest(this.#ofWallClock)
  }
}

/** The first step of the grid through `from` that lies after `time`. */
function after(from: number, intervalMs: number, time: number): number {
  return from + (Math.floor((time - from) / intervalMs) + 1) * intervalMs
}

function earliest(punctuations: readonly Punctuation[]): number {
  return punctuations.reduce((least, { next }) => Math.min(least, next), Number.POSITIVE_INFINITY)
}
