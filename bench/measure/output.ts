/** What a run wrote, read as a read_committed consumer does, and held against what it should have written. */

import type { Broker } from '../../src/broker/port.ts'
import type { ConsumerRecord } from '../../src/common/record.ts'
import type { Shows } from '../workload.ts'
import { partitionsOf } from './topics.ts'

/** Gives every committed record of the topic to `take`, partition by partition in order. */
export async function readAll(broker: Broker, topic: string, take: (record: ConsumerRecord) => void): Promise<void> {
  const ends = await broker.offsets(partitionsOf(topic), 'end')
  const open = new Map(ends.filter(({ offset }) => offset > 0).map(({ partition, offset }) => [partition, offset]))
  const fetcher = broker.fetcher({ maxPartitionBytes: 4 << 20 })
  fetcher.assign(partitionsOf(topic).map((place) => ({ ...place, offset: 0 })))
  while (open.size > 0) {
    for (const { partition, records, position } of await fetcher.poll(1000)) {
      for (const record of records) take(record)
      if (position >= (open.get(partition) ?? 0)) open.delete(partition)
    }
  }
  await fetcher.close()
}

export interface Written {
  readonly records: number
  /** Append times by the broker's clock, ms. */
  readonly firstAt: number
  readonly lastAt: number
}

/** @throws Error when an input record is missing from the output, or is in it twice. */
export async function checkedOutput(broker: Broker, topic: string, shows: Shows, inputs: number): Promise<Written> {
  const included = new Map<string, number>()
  let records = 0
  let firstAt = Number.POSITIVE_INFINITY
  let lastAt = Number.NEGATIVE_INFINITY
  await readAll(broker, topic, ({ key, value, timestamp }) => {
    records++
    firstAt = Math.min(firstAt, timestamp)
    lastAt = Math.max(lastAt, timestamp)
    const group = shows.groupIn(key as Buffer)
    included.set(group, includedIn(shows, value as Buffer, included.get(group) ?? 0))
  })
  const wrong = difference(included, shows, inputs)
  if (wrong !== undefined) throw new Error(`${topic} is wrong: ${wrong}`)
  return { records, firstAt, lastAt }
}

/** How many records of its group an output includes, after one that included `before`. */
export function includedIn({ countIn }: Shows, value: Buffer, before: number): number {
  return countIn === null ? before + 1 : countIn(value)
}

function difference(
  included: ReadonlyMap<string, number>,
  { groupOf, outputsOf = one }: Shows,
  inputs: number,
): string | undefined {
  const wanted = new Map<string, number>()
  for (let number = 0; number < inputs; number++) {
    const group = groupOf(number)
    const outputs = outputsOf(number)
    if (group !== null && outputs > 0) wanted.set(group, (wanted.get(group) ?? 0) + outputs)
  }
  for (const [group, count] of wanted) {
    if (included.get(group) !== count) return `${group} includes ${included.get(group) ?? 0} records, not ${count}`
  }
  if (included.size === wanted.size) return undefined
  return `it has ${included.size} groups, not ${wanted.size}`
}

const one = (): number => 1
