/** One global table of an engine: records of its topic in, rows to look up out. */

import type { FetchedPartition } from '../broker/port.ts'
import { type ReadFrom, readerOf } from '../common/bytes.ts'
import type { Counter } from '../common/counter.ts'
import { located, messageOf, StreamError } from '../common/errors.ts'
import type { ConsumerRecord } from '../common/record.ts'
import type { View } from '../operators/processor.ts'
import { GlobalRows } from '../state/global-rows.ts'
import type { GlobalTableNode, Topology } from '../topology/node.ts'
import type { Counters } from './counters.ts'

export class GlobalTable {
  readonly node: GlobalTableNode
  readonly rows: GlobalRows<unknown, unknown>
  readonly #readKey: ReadFrom<unknown>
  readonly #readValue: ReadFrom<unknown>
  readonly #received: Counter
  readonly #dropped: Map<string, number>

  constructor(node: GlobalTableNode, counters: Counters) {
    this.node = node
    this.rows = new GlobalRows(node.key)
    this.#readKey = readerOf(node.key)
    this.#readValue = readerOf(node.value)
    this.#received = counters.nodes[node.id] ?? { count: 0 }
    this.#dropped = counters.dropped
  }

  /**
   * Puts the records of a batch, in their order; those without a key are dropped. A serde that has to look something up first is
   * waited for.
   * @throws StreamError DESERIALIZATION with the record's coordinates.
   */
  async apply(batch: FetchedPartition): Promise<void> {
    await this.#prepare(batch.records)
    for (const record of batch.records) {
      this.#received.count++
      if (record.keyStart < 0) this.#dropped.set('null-key', (this.#dropped.get('null-key') ?? 0) + 1)
      else this.#put(record, batch.partition)
    }
  }

  #put(record: ConsumerRecord, partition: number): void {
    const { bytes, keyStart, keyEnd, valueStart, valueEnd } = record
    let key: unknown
    let value: unknown
    try {
      key = this.#readKey(bytes, keyStart, keyEnd)
      value = valueStart < 0 ? null : this.#readValue(bytes, valueStart, valueEnd)
    } catch (thrown) {
      throw this.#undecodable(thrown, partition, record.offset)
    }
    this.rows.put(key, value, record.timestamp)
  }

  async #prepare(records: readonly ConsumerRecord[]): Promise<void> {
    for (const part of ['key', 'value'] as const) {
      const { prepare } = this.node[part]
      if (prepare === undefined) continue
      await prepare(records.map((record) => record[part]).filter((bytes) => bytes !== null))
    }
  }

  #undecodable(thrown: unknown, partition: number, offset: number): StreamError {
    const { table: node, topic, where } = this.node
    const place = { ...where, node, topic, partition, offset }
    if (thrown instanceof StreamError) return located(thrown, place)
    return new StreamError('DESERIALIZATION', `${node}: ${messageOf(thrown)}`, { cause: thrown, where: place })
  }
}

/** The global tables of a topology, by name. */
export function globalTablesOf(topology: Topology, counters: Counters): ReadonlyMap<string, GlobalTable> {
  return new Map(
    topology.nodes.flatMap((node) =>
      node.kind === 'global-table' ? [[node.table, new GlobalTable(node, counters)]] : [],
    ),
  )
}

/** How joins look one up. */
export function globalView(tables: ReadonlyMap<string, GlobalTable>): (name: string) => View {
  return (name) => {
    const table = tables.get(name)
    if (table === undefined) throw new StreamError('INTERNAL', `no global table ${name}`)
    return (key) => table.rows.get(key)
  }
}
