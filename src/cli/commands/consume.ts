/** `consume`: records of a topic as NDJSON; with --until caught-up it ends at the end as it stood at the start, compared by position. */

import type { Broker, PartitionOffset } from '../../broker/port.ts'
import { StreamError } from '../../common/errors.ts'
import { partitionsOf } from '../../common/record.ts'
import { serdeByName } from '../../serde/formats.ts'
import { chooseBroker, existingTopics, openBroker } from '../brokers.ts'
import { consumedOf, type Decoders, prepareBatch } from '../decode.ts'
import { UsageError } from '../errors.ts'
import { type Io, say } from '../io.ts'
import { loadTopology } from '../load.ts'
import type { StartAt } from '../options.ts'
import { onStop } from '../signals.ts'
import { startTail } from '../tail.ts'
import { within } from '../timer.ts'
import { mustKnow } from '../topic-serdes.ts'

export interface ConsumeOptions {
  readonly broker?: string | undefined
  readonly from?: StartAt | undefined
  readonly until?: 'caught-up' | undefined
  readonly timeout?: number | undefined
  readonly count?: number | undefined
  readonly partition?: readonly number[] | undefined
  readonly isolation?: 'committed' | 'uncommitted' | undefined
  readonly key?: string | undefined
  readonly value?: string | undefined
  readonly topology?: string | undefined
}

export async function consume(topic: string, options: ConsumeOptions, io: Io): Promise<number> {
  const choice = chooseBroker(options.broker, io, false)
  const decoders = await decodersOf(topic, options, io)
  const stopping = onStop(io)
  const broker = await openBroker(choice, io)
  try {
    const topics = await existingTopics(broker, [topic])
    const partitions = chosenPartitions(topic, topics.get(topic)?.partitions ?? 0, options.partition)
    const uncommitted = options.isolation === 'uncommitted'
    const ends = await broker.offsets(partitions, uncommitted ? 'end' : 'stable')
    const start = await startOf(broker, ends, options.from ?? 'earliest', io)
    let left = options.count ?? Number.POSITIVE_INFINITY
    const tail = startTail(
      broker,
      start,
      (name, partition, record) => {
        const full = io.out.json(consumedOf(name, partition, record, decoders))
        left--
        return full === undefined ? left > 0 && !io.out.closed : full.then(() => left > 0 && !io.out.closed)
      },
      {
        isolation: uncommitted ? 'uncommitted' : 'committed',
        prepare: (batch) => prepareBatch(decoders, batch.records),
      },
    )
    const done = options.until === 'caught-up' ? tail.until(ends) : tail.ended
    try {
      await within(
        options.timeout,
        Promise.race([done, stopping.asked, io.out.closing]),
        (seconds) =>
          new StreamError('TIMEOUT', `the end of ${topic} was not reached after ${seconds} s`, {
            hint: 'Give more time with --timeout; an open transaction holds readers of committed records back.',
          }),
      )
    } finally {
      await tail.close()
    }
    return 0
  } finally {
    stopping.dispose()
    await broker.close()
  }
}

function chosenPartitions(
  topic: string,
  count: number,
  chosen: readonly number[] | undefined,
): { topic: string; partition: number }[] {
  const beyond = chosen?.find((partition) => partition >= count)
  if (beyond !== undefined) {
    throw new UsageError(`${topic} has no partition ${beyond}`, `It has ${count}, from 0 to ${count - 1}.`)
  }
  return partitionsOf(topic, count).filter(({ partition }) => chosen?.includes(partition) ?? true)
}

/** An offset outside of a partition's range is moved to its edge, aloud. */
async function startOf(
  broker: Broker,
  ends: readonly PartitionOffset[],
  from: StartAt,
  io: Io,
): Promise<readonly PartitionOffset[]> {
  if (from === 'latest') return ends
  const earliest = await broker.offsets(ends, 'earliest')
  if (from === 'earliest') return earliest
  return ends.map((end) => {
    const least =
      earliest.find((each) => each.topic === end.topic && each.partition === end.partition)?.offset ?? end.offset
    const offset = Math.min(Math.max(from, least), end.offset)
    if (offset !== from) {
      say(io, `${end.topic}-${end.partition} holds offsets ${least} to ${end.offset}: starts at ${offset}`)
    }
    return { topic: end.topic, partition: end.partition, offset }
  })
}

async function decodersOf(topic: string, options: ConsumeOptions, io: Io): Promise<Decoders> {
  if (options.topology === undefined) {
    return {
      key: options.key === undefined ? 'guess' : serdeByName(options.key),
      value: options.value === undefined ? 'guess' : serdeByName(options.value),
    }
  }
  if (options.key !== undefined || options.value !== undefined) {
    throw new UsageError('--topology brings the serdes of the topic along', 'Leave --key and --value out.')
  }
  return mustKnow(await loadTopology(options.topology, io), topic, 'topic')
}
