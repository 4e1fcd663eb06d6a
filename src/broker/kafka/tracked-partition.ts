/** One assigned partition of a fetcher: where it stands, what was fetched and not yet handed out, and what went wrong since it last worked. */

import { messageOf, StreamError } from '../../common/errors.ts'
import { partitionName } from '../../common/record.ts'
import type { FetchedPartition, PartitionOffset } from '../port.ts'
import { backoffMs } from './backoff.ts'
import type { PartitionAnswer } from './fetch-protocol.ts'
import { PartitionReader } from './partition-reader.ts'

/** Pauses between tries of one partition, in ms. */
const pauses = { firstMs: 50, maxMs: 1000 }

export interface Patience {
  /** ms a partition may fail before `poll` says so. */
  readonly unreachableAfterMs: number
  /** ms a topic or partition may be unknown to the cluster before it counts as missing. */
  readonly missingAfterMs: number
}

interface Chunk {
  readonly reader: PartitionReader
  readonly bytes: number
}

export class TrackedPartition {
  readonly topic: string
  readonly partition: number
  /** Next offset to read, by what was handed out. */
  position: number
  paused = false
  /** Part of a request, or being looked up. */
  busy = false
  leader: number | null
  /** The leader was wrong or away: metadata must be asked for anew. */
  stale = false
  /** When it may be tried again, ms since the epoch. */
  retryAt = 0
  /** `poll` has thrown what is wrong here since it last worked. */
  told = false
  /** Ends the work on this partition, until it is assigned anew. */
  fatal: StreamError | null = null
  #chunk: Chunk | null = null
  #attempt = 0
  #failingSince: number | null = null
  #missingSince: number | null = null
  #lastFailure: StreamError | null = null
  #stableEnd = -1
  #highWatermark = -1

  constructor({ topic, partition, offset }: PartitionOffset, leader: number | null = null) {
    this.topic = topic
    this.partition = partition
    this.position = offset
    this.leader = leader
  }

  /** Bytes fetched and not handed out. */
  get bufferedBytes(): number {
    return this.#chunk?.bytes ?? 0
  }

  get hasData(): boolean {
    return this.#chunk !== null
  }

  /** Takes an answer without an error. Returns whether it says anything new. */
  accept(answer: PartitionAnswer, committed: boolean): boolean {
    this.#attempt = 0
    this.#failingSince = null
    this.#missingSince = null
    this.#lastFailure = null
    this.stale = false
    this.told = false
    const { topic, partition, position } = this
    const highWatermark = Math.max(answer.highWatermark, position)
    const stableEnd = answer.lastStableOffset < 0 ? highWatermark : Math.max(answer.lastStableOffset, position)
    const bytes = answer.recordSet.length
    if (bytes === 0 && stableEnd === this.#stableEnd && highWatermark === this.#highWatermark) return false
    this.#stableEnd = stableEnd
    this.#highWatermark = highWatermark
    const aborted = committed ? answer.aborted : null
    this.#chunk = {
      reader: new PartitionReader({ topic, partition, recordSet: answer.recordSet, position, aborted }),
      bytes,
    }
    return true
  }

  /**
   * Hands out at most about `maxBytes` of what was fetched, and moves the position. `null` when nothing comes out of it
   * because the data is damaged: `fatal` says how.
   */
  take(maxBytes: number): { readonly fetched: FetchedPartition; readonly bytes: number } | null {
    const chunk = this.#chunk
    if (chunk === null) return null
    const records: FetchedPartition['records'][number][] = []
    const before = chunk.reader.position
    let bytes = 0
    try {
      bytes = chunk.reader.next(records, maxBytes)
    } catch (error) {
      this.fatal =
        error instanceof StreamError ? error : new StreamError('INTERNAL', messageOf(error), { cause: error })
    }
    if (chunk.reader.done || this.fatal !== null) this.#chunk = null
    this.position = chunk.reader.position
    if (this.fatal !== null && this.position === before) return null
    const { topic, partition, position } = this
    const stableEnd = Math.max(this.#stableEnd, position)
    const highWatermark = Math.max(this.#highWatermark, position)
    return { fetched: { topic, partition, records, position, stableEnd, highWatermark }, bytes }
  }

  /** A try that began at `since` has failed. Another follows after a growing pause, or `fatal` is set. */
  fail(error: StreamError, since: number, now: number, { missingAfterMs }: Patience): void {
    const { topic, partition } = this
    const where = { topic, partition, offset: this.position }
    this.#lastFailure = error
    this.#failingSince ??= since
    this.stale = true
    this.leader = null
    this.retryAt = now + backoffMs(this.#attempt++, pauses)
    if (error.code === 'TOPIC_MISSING') {
      this.#missingSince ??= since
      if (now - this.#missingSince < missingAfterMs) return
      this.fatal = new StreamError('TOPIC_MISSING', `${partitionName(topic, partition)} does not exist`, {
        cause: error,
        where: { topic, partition },
        hint: 'Create the topic, or check its name and the broker address.',
      })
      return
    }
    this.#missingSince = null
    if (error.code === 'UNAUTHORIZED' || error.code === 'CORRUPT' || error.code === 'UNSUPPORTED_VERSION') {
      const acls = 'Check the credentials and the ACLs: Read and Describe on the topic.'
      const hint = error.hint ?? (error.code === 'UNAUTHORIZED' ? acls : undefined)
      this.fatal = new StreamError(error.code, `reading ${partitionName(topic, partition)}: ${error.message}`, {
        cause: error,
        where,
        ...(hint === undefined ? {} : { hint }),
      })
    }
  }

  /** What `poll` is to throw, if anything. A partition that only fails goes on being tried. */
  complaint(now: number, { unreachableAfterMs }: Patience): StreamError | null {
    if (this.fatal !== null) return this.fatal
    if (this.#failingSince === null || now - this.#failingSince < unreachableAfterMs) return null
    const { topic, partition, position } = this
    const seconds = Math.round((now - this.#failingSince) / 1000)
    const why = this.#lastFailure === null ? '' : `: ${this.#lastFailure.message}`
    return new StreamError('UNREACHABLE', `${partitionName(topic, partition)} cannot be read for ${seconds} s${why}`, {
      cause: this.#lastFailure,
      where: { topic, partition, offset: position },
      hint: 'Check that its brokers run and are reachable; reading goes on by itself once they are.',
    })
  }
}
