/** Committed records of topics as they appear, up to an end that may be set while it runs; ends are compared with positions, never with the last record. */

import type { Broker, FetchedPartition, Fetcher, FetcherOptions, PartitionOffset } from '../broker/port.ts'
import { type ConsumerRecord, partitionName } from '../common/record.ts'

export interface Tail {
  /** Resolves when every partition's position is at or past its end, and then the tail is closed. */
  until(ends: readonly PartitionOffset[]): Promise<void>
  /** Ends it where it is. */
  close(): Promise<void>
  /** Settles when the tail has ended, for whichever reason; rejects when reading or delivering failed. */
  readonly ended: Promise<void>
}

/** Takes one record; false ends the tail after it. A promise holds the next record back. */
export type Deliver = (topic: string, partition: number, record: ConsumerRecord) => boolean | Promise<boolean>

const pollMs = 100

export interface TailOptions extends FetcherOptions {
  /** Called before a fetched batch is delivered. */
  readonly prepare?: (batch: FetchedPartition) => Promise<void>
}

export function startTail(
  broker: Broker,
  start: readonly PartitionOffset[],
  deliver: Deliver,
  options: TailOptions = {},
): Tail {
  const positions = new Map(start.map((each) => [partitionName(each.topic, each.partition), each.offset]))
  let ends: readonly PartitionOffset[] | undefined
  let closing = false
  const passed = (): boolean =>
    ends?.every((end) => (positions.get(partitionName(end.topic, end.partition)) ?? 0) >= end.offset) ?? false

  const fetcher: Fetcher = broker.fetcher({ isolation: options.isolation ?? 'committed' })
  fetcher.assign(start)

  const deliverBatch = async (batch: FetchedPartition): Promise<void> => {
    const prepared = options.prepare?.(batch)
    if (prepared !== undefined) await prepared
    const name = partitionName(batch.topic, batch.partition)
    for (const record of batch.records) {
      const going = deliver(batch.topic, batch.partition, record)
      positions.set(name, record.offset + 1)
      if (!(typeof going === 'boolean' ? going : await going)) closing = true
      if (closing) return
    }
    positions.set(name, batch.position)
  }

  const loop = async (): Promise<void> => {
    try {
      while (!closing && !passed()) {
        for (const batch of await fetcher.poll(pollMs)) {
          if (!closing) await deliverBatch(batch)
        }
      }
    } finally {
      await fetcher.close()
    }
  }
  const ended = start.length === 0 ? fetcher.close() : loop()
  // Whoever waits for the end hears of a failure; until then it must not count as unhandled.
  ended.catch(() => undefined)
  return {
    ended,
    until(wanted) {
      ends = wanted
      return ended
    },
    close() {
      closing = true
      return ended
    },
  }
}
