/** A member of a group: its callbacks run one after another, and once it is gone nobody waits for them. */

import type { TopicPartition } from '../../common/record.ts'
import type { DescribedMember, GroupMetadata, MemberAssignment, MemberDescription, MemberOptions } from '../port.ts'

export class Member {
  readonly id: string
  readonly clientId: string
  readonly options: MemberOptions
  readonly #failed: (member: Member, error: Error) => void
  readonly #gone = Promise.withResolvers<void>()
  #isGone = false
  #userData: Buffer = Buffer.alloc(0)
  #partitions: readonly TopicPartition[] = []
  /** Has an assignment to give back. */
  #assigned = false
  #calls: Promise<void> = Promise.resolve()

  constructor(id: string, clientId: string, options: MemberOptions, failed: (member: Member, error: Error) => void) {
    this.id = id
    this.clientId = clientId
    this.options = options
    this.#failed = failed
  }

  /** As it joins. */
  describe(): MemberDescription {
    this.#userData = this.options.userData()
    return { memberId: this.id, userData: this.#userData }
  }

  /** As it stands in the group. */
  described(): DescribedMember {
    const { id: memberId, clientId } = this
    return { memberId, clientId, host: 'localhost', userData: this.#userData, partitions: this.#partitions }
  }

  /** Resolves when the member has given its partitions back, or is gone. */
  revoke(): Promise<void> {
    if (!this.#assigned) return Promise.resolve()
    this.#assigned = false
    this.#partitions = []
    return this.#call(() => this.options.onRevoke())
  }

  assign(assignment: MemberAssignment, metadata: GroupMetadata): void {
    this.#assigned = true
    this.#partitions = assignment.partitions
    void this.#call(() => this.options.onAssign(assignment, metadata))
  }

  /** No longer waited for and not called again. */
  leave(): void {
    this.#isGone = true
    this.#gone.resolve()
  }

  /** Thrown out: `onLost` comes after what is being called now. Resolves when it has been heard, rejects as it does. */
  lose(): Promise<void> {
    this.leave()
    return this.#calls.then(() => this.options.onLost())
  }

  fail(error: unknown): void {
    this.#failed(this, error instanceof Error ? error : new Error(String(error)))
  }

  #call(callback: () => Promise<void>): Promise<void> {
    this.#calls = this.#calls
      .then(() => (this.#isGone ? undefined : callback()))
      .catch((error: unknown) => {
        if (!this.#isGone) this.fail(error)
      })
    return Promise.race([this.#calls, this.#gone.promise])
  }
}
