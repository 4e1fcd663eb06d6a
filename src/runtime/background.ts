/** Work beside the loop: one round at a time, at most every so often, and waited for before what it works on is closed. */

import { messageOf } from '../common/errors.ts'

export class Background {
  readonly #intervalMs: number
  readonly #onFailure: (message: string) => void
  #due = 0
  #running: Promise<void> | undefined

  /** @param onFailure told when a round failed; the next one comes all the same. */
  constructor(intervalMs: number, onFailure: (message: string) => void) {
    this.#intervalMs = intervalMs
    this.#onFailure = onFailure
  }

  /** Starts a round when it is time; `now` in ms, monotonic. A round with nothing to do is undefined. */
  whenDue(now: number, round: () => Promise<void> | undefined): void {
    if (now < this.#due || this.#running !== undefined) return
    this.#due = now + this.#intervalMs
    this.#running = round()
      ?.catch((error: unknown) => this.#onFailure(messageOf(error)))
      .finally(() => {
        this.#running = undefined
      })
  }

  /** Resolves when no round is under way. */
  finished(): Promise<void> {
    return this.#running ?? Promise.resolve()
  }
}
