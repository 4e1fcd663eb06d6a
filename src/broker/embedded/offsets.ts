/** Committed offsets of one group. An offset whose transaction is on its way to disk is pending: readers wait for it (KIP-447). */

import { partitionName, type TopicPartition } from '../../common/record.ts'
import type { CommittedOffset } from '../port.ts'

export class GroupOffsets {
  readonly #committed = new Map<string, CommittedOffset>()
  readonly #pending = new Map<string, Promise<unknown>>()

  get isEmpty(): boolean {
    return this.#committed.size === 0
  }

  /** Until `ended` settles, the offsets are neither visible nor known not to be. */
  await(offsets: readonly CommittedOffset[], ended: Promise<unknown>): void {
    for (const { topic, partition } of offsets) {
      const name = partitionName(topic, partition)
      const clear = (): void => {
        if (this.#pending.get(name) === pending) this.#pending.delete(name)
      }
      const pending = ended.then(clear, clear)
      this.#pending.set(name, pending)
    }
  }

  apply(offsets: readonly CommittedOffset[]): void {
    for (const offset of offsets) this.#committed.set(partitionName(offset.topic, offset.partition), offset)
  }

  async stable(partitions: readonly TopicPartition[]): Promise<readonly CommittedOffset[]> {
    const names = partitions.map(({ topic, partition }) => partitionName(topic, partition))
    for (;;) {
      const pending = names.map((name) => this.#pending.get(name)).filter((promise) => promise !== undefined)
      if (pending.length === 0) break
      await Promise.all(pending)
    }
    return names.map((name) => this.#committed.get(name)).filter((offset) => offset !== undefined)
  }
}
