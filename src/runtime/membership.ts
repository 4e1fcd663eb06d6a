/**
 * Group callbacks as a queue of events that the worker's loop takes between two turns: a generation never changes under a
 * record, and the group waits until the loop has answered.
 */

import type { GroupMetadata, MemberAssignment } from '../broker/port.ts'

export type MembershipEvent =
  | { readonly kind: 'revoke' }
  | { readonly kind: 'lost' }
  | { readonly kind: 'assign'; readonly assignment: MemberAssignment; readonly metadata: GroupMetadata }
  | { readonly kind: 'error'; readonly error: Error }

interface Waiting {
  readonly event: MembershipEvent
  readonly answered: () => void
}

export class MembershipEvents {
  #waiting: Waiting[] = []
  #wake: (() => void) | undefined
  #closed = false

  /** Resolves when the loop has dealt with the event. */
  post(event: MembershipEvent): Promise<void> {
    if (this.#closed) return Promise.resolve()
    const posted = new Promise<void>((answered) => this.#waiting.push({ event, answered }))
    this.#wake?.()
    return posted
  }

  /** Deals with every waiting event, in order. An event is answered even if dealing with it fails. */
  async take(deal: (event: MembershipEvent) => Promise<void>): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      try {
        await deal(next.event)
      } finally {
        next.answered()
      }
    }
  }

  /** Resolves at the next event, at `wake`, or after `maxWaitMs`. */
  wait(maxWaitMs: number): Promise<void> {
    if (this.#waiting.length > 0 || this.#closed) return Promise.resolve()
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        if (this.#wake === done) this.#wake = undefined
        resolve()
      }
      const timer = setTimeout(done, maxWaitMs)
      this.#wake = done
    })
  }

  wake(): void {
    this.#wake?.()
  }

  /** Answers everything, now and later: nobody is left waiting for a loop that has ended. */
  close(): void {
    this.#closed = true
    for (const { answered } of this.#waiting.splice(0)) answered()
    this.#wake?.()
  }
}
