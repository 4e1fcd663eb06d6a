/**
 * Reads partitions from explicit positions. A poll that finds nothing sleeps until a log changes; nobody looks in between.
 * What a poll returns is put together in one turn, so an assignment or a pause is never overtaken by older records.
 */

import { StreamError } from '../../common/errors.ts'
import { partitionName, type TopicPartition } from '../../common/record.ts'
import type { FetchedPartition, Fetcher, FetcherOptions, PartitionOffset } from '../port.ts'
import type { Slice } from './batch.ts'
import { readDisk } from './disk-read.ts'
import type { Journal } from './journal.ts'
import type { PartitionLog } from './log.ts'
import type { TopicRegistry } from './topics.ts'

interface Reading {
  readonly log: PartitionLog
  readonly unwatch: () => void
  position: number
  isPaused: boolean
  /** Records at `position` that are no longer in memory: read ahead from disk, or about to be. */
  ahead: Slice | 'reading' | null
}

const nothing: readonly FetchedPartition[] = Object.freeze([])
const longestWaitMs = 0x7fff_ffff

export class EmbeddedFetcher implements Fetcher {
  readonly #topics: TopicRegistry
  readonly #journal: Journal
  /** Run before looking, for what depends on time. */
  readonly #look: () => void
  readonly #isCommitted: boolean
  readonly #maxBytes: number
  readonly #maxPartitionBytes: number
  #readings: readonly Reading[] = []
  /** What is wrong with the assignment: every poll says so. */
  #error: unknown = null
  #turn = 0
  #isPolling = false
  #closed: StreamError | null = null
  #wake: (() => void) | null = null
  #isWoken = false

  constructor(topics: TopicRegistry, journal: Journal, look: () => void, options: FetcherOptions) {
    this.#topics = topics
    this.#journal = journal
    this.#look = look
    this.#isCommitted = options.isolation !== 'uncommitted'
    this.#maxBytes = options.maxBytes ?? 2 * 1024 * 1024
    this.#maxPartitionBytes = options.maxPartitionBytes ?? 512 * 1024
  }

  assign(positions: readonly PartitionOffset[]): void {
    this.#drop()
    if (this.#closed !== null) return
    const readings: Reading[] = []
    for (const { topic, partition, offset } of positions) {
      try {
        const log = this.#topics.log(topic, partition)
        const unwatch = log.watch(() => this.#wake?.())
        readings.push({ log, unwatch, position: offset, isPaused: false, ahead: null })
      } catch (missing) {
        this.#error ??= missing
      }
    }
    this.#readings = readings
    this.#wake?.()
  }

  pause(partitions: readonly TopicPartition[]): void {
    this.#setPaused(partitions, true)
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.#setPaused(partitions, false)
    this.#wake?.()
  }

  async poll(maxWaitMs: number): Promise<readonly FetchedPartition[]> {
    if (this.#isPolling)
      throw new StreamError('INTERNAL', 'poll was called while a poll of the same fetcher is waiting')
    if (this.#closed !== null) throw this.#closed
    this.#isPolling = true
    try {
      const until = performance.now() + maxWaitMs
      while (this.#closed === null) {
        this.#look()
        const fetched = this.#collect()
        const left = until - performance.now()
        if (fetched.length > 0 || left <= 0 || this.#isWoken) return fetched
        await this.#change(left)
      }
      return nothing
    } finally {
      this.#isPolling = false
      this.#isWoken = false
    }
  }

  wake(): void {
    this.#isWoken = true
    this.#wake?.()
  }

  close(): Promise<void> {
    this.abandon(new StreamError('INVALID_ARGUMENT', 'the fetcher is closed', { hint: 'Take a new one.' }))
    return Promise.resolve()
  }

  /** Ends a waiting poll with nothing, and refuses the next. */
  abandon(reason: StreamError): void {
    this.#closed ??= reason
    this.#drop()
    this.#wake?.()
  }

  #collect(): readonly FetchedPartition[] {
    if (this.#error !== null) throw this.#error
    // Before any position moves: records that were taken must not be lost to the error of another partition.
    for (const reading of this.#readings) if (!reading.isPaused) checkRange(reading)
    const fetched: FetchedPartition[] = []
    let left = this.#maxBytes
    // Another partition goes first each time, so that a full response starves none.
    const first = this.#turn++
    for (let i = 0; i < this.#readings.length; i++) {
      const reading = this.#readings[(first + i) % this.#readings.length] as Reading
      const { log, position } = reading
      const upTo = this.#isCommitted ? log.stableEnd : log.end
      if (reading.isPaused || position >= upTo) continue
      const read = this.#read(reading, upTo, Math.min(left, this.#maxPartitionBytes))
      // Only the first partition may exceed the limit of the whole response.
      if (read === null || (fetched.length > 0 && read.bytes > left)) continue
      reading.position = read.position
      reading.ahead = null
      left -= read.bytes
      fetched.push({
        topic: log.topic,
        partition: log.partition,
        records: read.records,
        position: read.position,
        stableEnd: log.stableEnd,
        highWatermark: log.end,
      })
      if (left <= 0) break
    }
    return fetched
  }

  /** Null while the disk is being read: the poll is woken when that is done. */
  #read(reading: Reading, upTo: number, maxBytes: number): Slice | null {
    if (reading.ahead === 'reading') return null
    if (reading.ahead !== null) return reading.ahead
    const { log, position } = reading
    const read = log.read(position, upTo, maxBytes)
    if (read === null && this.#mayReadDisk()) {
      reading.ahead = 'reading'
      readDisk(this.#journal, log, position, upTo, this.#maxPartitionBytes).then(
        (ahead) => {
          reading.ahead = reading.isPaused ? null : ahead
          this.#wake?.()
        },
        (error: unknown) => {
          reading.ahead = null
          if (this.#readings.includes(reading)) this.#error = error
          this.#wake?.()
        },
      )
    }
    return read
  }

  /** What is read ahead from disk stays within the bytes of one response, but for the last partition. */
  #mayReadDisk(): boolean {
    const ahead = this.#readings.reduce((count, reading) => count + (reading.ahead === null ? 0 : 1), 0)
    return ahead * this.#maxPartitionBytes < this.#maxBytes
  }

  async #change(maxWaitMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, Math.min(maxWaitMs, longestWaitMs))
    this.#wake = resolve
    await promise
    this.#wake = null
    clearTimeout(timer)
  }

  #setPaused(partitions: readonly TopicPartition[], isPaused: boolean): void {
    const names = new Set(partitions.map(({ topic, partition }) => partitionName(topic, partition)))
    for (const reading of this.#readings) {
      if (!names.has(partitionName(reading.log.topic, reading.log.partition))) continue
      reading.isPaused = isPaused
      // What a paused partition has read ahead would keep others from reading.
      if (isPaused && reading.ahead !== 'reading') reading.ahead = null
    }
  }

  #drop(): void {
    for (const reading of this.#readings) reading.unwatch()
    this.#readings = []
    this.#error = null
  }
}

function checkRange({ log, position }: Reading): void {
  if (position >= log.start && position <= log.end) return
  const { topic, partition, start, end } = log
  throw new StreamError(
    'OFFSET_OUT_OF_RANGE',
    `offset ${position} of ${partitionName(topic, partition)} is out of range: the log has ${start} to ${end}`,
    {
      hint: 'Decide where to go on: from the start of the log or from its end.',
      where: { topic, partition, offset: position },
    },
  )
}
