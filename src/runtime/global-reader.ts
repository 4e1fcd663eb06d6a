/**
 * Reads the topics of global tables, each partition, without a group: to their ends before any task starts, and on from there while the
 * engine runs. What it holds depends on no transaction of the engine's, so neither a rebalance nor an abort touches it. Where
 * offsets are gone that it had not read, the table is read anew, and looked up as it was until that is done.
 */

import { setTimeout } from 'node:timers/promises'
import type { Broker, FetchedPartition, Fetcher } from '../broker/port.ts'
import { messageOf, StreamError } from '../common/errors.ts'
import { partitionName, partitionsOf, type TopicPartition } from '../common/record.ts'
import type { GlobalTable } from './global-table.ts'
import type { Plan } from './plan.ts'
import { isRecoverable, retryDelayMs } from './recovery.ts'

export interface GlobalReaderOptions {
  readonly plan: Plan
  readonly broker: Broker
  readonly tables: ReadonlyMap<string, GlobalTable>
  readonly log: (level: 'info' | 'warn', message: string) => void
}

interface Reading extends TopicPartition {
  readonly table: GlobalTable
  readonly start: number
  /** As it was when reading began. */
  readonly end: number
  position: number
}

/** Longest wait for records, in ms: bounds how late a stop is seen. */
const maxPollMs = 100

export class GlobalReader {
  readonly #options: GlobalReaderOptions
  readonly #fetcher: Fetcher | undefined
  readonly #readings = new Map<string, Reading>()
  /** Tables that are being read to their ends. */
  readonly #loading = new Set<GlobalTable>()
  #failures = 0
  readonly #stop = new AbortController()

  constructor(options: GlobalReaderOptions) {
    this.#options = options
    this.#fetcher = options.tables.size === 0 ? undefined : options.broker.fetcher({ isolation: 'committed' })
  }

  /**
   * Resolves when every table holds what its topic held at the call, or after `stop`.
   * @throws StreamError DESERIALIZATION, UNAUTHORIZED, TOPIC_MISSING, CORRUPT; what may pass is tried again.
   */
  async load(): Promise<void> {
    const tables = [...this.#options.tables.values()]
    for (const table of tables) this.#loading.add(table)
    let isBegun = false
    while (!this.#stop.signal.aborted && this.#loading.size > 0) {
      await this.#patiently(async () => {
        if (!isBegun) await this.#begin(tables)
        isBegun = true
        if (this.#loading.size > 0) await this.#turn()
      })
    }
  }

  /** Follows the topics until `stop`. @throws StreamError as `load`. */
  async follow(): Promise<void> {
    if (this.#fetcher === undefined) return
    while (!this.#stop.signal.aborted) await this.#patiently(() => this.#turn())
  }

  stop(): void {
    this.#stop.abort()
  }

  /** After `load` and `follow` have ended. */
  async close(): Promise<void> {
    await this.#fetcher?.close()
  }

  /** Offsets read and to be read until the table is loaded; 0 of 0 when it is. */
  progress(table: GlobalTable): { readonly done: number; readonly total: number } {
    if (!this.#loading.has(table)) return { done: 0, total: 0 }
    const readings = this.#of(table)
    return {
      done: readings.reduce((sum, { start, position }) => sum + position - start, 0),
      total: readings.reduce((sum, { start, end }) => sum + end - start, 0),
    }
  }

  /** Reads the tables from the starts of their topics. */
  async #begin(tables: readonly GlobalTable[]): Promise<void> {
    const { plan, broker } = this.#options
    for (const table of tables) {
      const { topic } = table.node
      const partitions = partitionsOf(topic, plan.partitions.get(topic) as number)
      const starts = await broker.offsets(partitions, 'earliest')
      const ends = await broker.offsets(partitions, 'stable')
      table.rows.gather()
      this.#loading.add(table)
      for (const [i, { partition }] of partitions.entries()) {
        const start = starts[i]?.offset ?? 0
        const end = Math.max(start, ends[i]?.offset ?? 0)
        this.#readings.set(partitionName(topic, partition), { topic, partition, table, start, end, position: start })
      }
      this.#endLoading(table)
    }
    this.#assign()
  }

  async #turn(): Promise<void> {
    for (const batch of (await this.#fetcher?.poll(maxPollMs)) ?? []) await this.#take(batch)
    this.#failures = 0
  }

  async #take(batch: FetchedPartition): Promise<void> {
    const reading = this.#readings.get(partitionName(batch.topic, batch.partition))
    if (reading === undefined) return
    await reading.table.apply(batch)
    reading.position = batch.position
    this.#endLoading(reading.table)
  }

  #endLoading(table: GlobalTable): void {
    if (!this.#loading.has(table) || this.#of(table).some(({ position, end }) => position < end)) return
    this.#loading.delete(table)
    table.rows.swap()
    const { table: name, topic } = table.node
    this.#options.log('info', `global table ${name}: ${table.rows.size} rows of topic ${topic}`)
  }

  async #patiently(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      const gap = this.#gap(error)
      if (gap === undefined && !isRecoverable(error)) throw error
      this.#options.log('warn', `${messageOf(error)}; the global tables are read on`)
      this.#failures++
      if (gap === undefined || this.#failures > 1) await this.#pause()
      // A fetcher goes on where an earlier assignment stood.
      if (gap === undefined) this.#assign()
      else await this.#patiently(() => this.#begin([gap]))
    }
  }

  /** The table whose topic has lost offsets that were not read. */
  #gap(error: unknown): GlobalTable | undefined {
    if (!(error instanceof StreamError) || error.code !== 'OFFSET_OUT_OF_RANGE') return undefined
    const { topic = '', partition = -1 } = error.where
    return this.#readings.get(partitionName(topic, partition))?.table
  }

  async #pause(): Promise<void> {
    await setTimeout(retryDelayMs(this.#failures), undefined, { signal: this.#stop.signal }).catch(() => undefined)
  }

  #of(table: GlobalTable): readonly Reading[] {
    return [...this.#readings.values()].filter((reading) => reading.table === table)
  }

  #assign(): void {
    this.#fetcher?.assign(
      [...this.#readings.values()].map(({ topic, partition, position }) => ({ topic, partition, offset: position })),
    )
  }
}
