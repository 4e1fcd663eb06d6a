/** The topics of a test, in memory: partitions that can be read again from an offset, and changelogs, of which the last record of each key counts. */

import { type ConsumerRecord, partitionName } from '../common/record.ts'

interface Partition {
  /** Offset of the first record that is kept. */
  start: number
  readonly records: ConsumerRecord[]
}

export class TestLog {
  readonly #ends = new Map<string, number>()
  readonly #partitions = new Map<string, Partition>()
  /** By partition, then by the key's bytes as text. */
  readonly #changelogs = new Map<string, Map<string, ConsumerRecord>>()

  /** Next offset of each partition that was written, by partitionName. */
  get ends(): ReadonlyMap<string, number> {
    return this.#ends
  }

  endOf(topic: string, partition: number): number {
    return this.#ends.get(partitionName(topic, partition)) ?? 0
  }

  /** Appends a record, which gets its offset. */
  append(topic: string, partition: number, record: ConsumerRecord): void {
    const name = partitionName(topic, partition)
    const end = this.#next(name, record)
    const known = this.#partitions.get(name) ?? { start: end, records: [] }
    this.#partitions.set(name, known)
    known.records.push(record)
  }

  /** Appends a row to a changelog, in the place of the one before it. */
  appendRow(topic: string, partition: number, row: ConsumerRecord): void {
    const name = partitionName(topic, partition)
    this.#next(name, row)
    const rows = this.#changelogs.get(name) ?? new Map<string, ConsumerRecord>()
    this.#changelogs.set(name, rows)
    rows.set((row.key as Buffer).toString('latin1'), row)
  }

  /** The records from an offset on. */
  from(topic: string, partition: number, offset: number): readonly ConsumerRecord[] {
    const { start, records } = this.#partitions.get(partitionName(topic, partition)) ?? { start: 0, records: [] }
    return records.slice(Math.max(0, offset - start))
  }

  /** The rows of a changelog that are there from an offset on. */
  rows(topic: string, partition: number, offset: number): readonly ConsumerRecord[] {
    const rows = [...(this.#changelogs.get(partitionName(topic, partition))?.values() ?? [])]
    return rows.filter((row) => row.offset >= offset)
  }

  /** What lies before the offset is not read again. */
  forget(topic: string, partition: number, offset: number): void {
    const known = this.#partitions.get(partitionName(topic, partition))
    if (known === undefined || offset <= known.start) return
    known.records.splice(0, offset - known.start)
    known.start = offset
  }

  /** What lies at the offset and after it was never written. */
  cut(topic: string, partition: number, offset: number): void {
    const name = partitionName(topic, partition)
    const known = this.#partitions.get(name)
    if (known === undefined || offset >= this.endOf(topic, partition)) return
    known.records.length = Math.max(0, offset - known.start)
    this.#ends.set(name, offset)
  }

  #next(name: string, record: ConsumerRecord): number {
    const end = this.#ends.get(name) ?? 0
    record.offset = end
    this.#ends.set(name, end + 1)
    return end
  }
}
