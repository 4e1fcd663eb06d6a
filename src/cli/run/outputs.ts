/** The files bound to result topics by `run --out`: what a reader of committed data sees, written as it is committed. */

import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { Broker, PartitionOffset } from '../../broker/port.ts'
import type { TopicPartition } from '../../common/record.ts'
import { partitionsOf } from '../../common/record.ts'
import { externalTopics } from '../../topology/external-topics.ts'
import type { Topology } from '../../topology/node.ts'
import { type Decoders, prepareBatch, resultOf } from '../decode.ts'
import { type Io, LineWriter } from '../io.ts'
import type { TopicFile } from '../options.ts'
import { startTail, type Tail } from '../tail.ts'
import { mustKnow } from '../topic-serdes.ts'

/** How the results of a topic read; those of a dead-letter topic have no format. */
export function outputDecoders(topology: Topology, topic: string): Decoders {
  const deadLetters = topology.nodes.some(
    (node) =>
      (node.kind === 'source' || node.kind === 'pattern-source') &&
      node.onDeserializationError.policy === 'dead-letter' &&
      node.onDeserializationError.topic === topic,
  )
  const isSink = topology.nodes.some((node) => node.kind === 'sink' && node.topic === topic)
  return deadLetters && !isSink ? { key: 'guess', value: 'guess' } : mustKnow(topology, topic, 'sink')
}

export interface Outputs {
  /** Rejects when reading or writing fails; never resolves before `finish`. */
  readonly failed: Promise<never>
  /** Waits until all that is committed now is written, then closes the files. */
  finish(): Promise<void>
  close(): Promise<void>
}

interface Plan {
  readonly decoders: Decoders
  readonly partitions: readonly TopicPartition[]
  readonly start: readonly PartitionOffset[]
}

interface OpenOutput {
  readonly tail: Tail
  readonly partitions: readonly TopicPartition[]
  readonly file: Writable | null
}

/** Starts at the present end of each topic: results of this run only. */
export async function openOutputs(
  broker: Broker,
  topology: Topology,
  bindings: readonly TopicFile[],
  io: Io,
): Promise<Outputs> {
  const counts = await broker.topics([...externalTopics(topology).written])
  const planned: Plan[] = []
  for (const { topic } of bindings) {
    const partitions = partitionsOf(topic, counts.get(topic)?.partitions ?? 0)
    const start = await broker.offsets(partitions, 'stable')
    planned.push({ decoders: outputDecoders(topology, topic), partitions, start })
  }
  // Last of what can fail: then no tail is left running, and no file is emptied for nothing.
  const files = await openFiles(bindings.map(({ file }) => (file === '-' ? null : resolve(io.cwd, file))))
  const opened = planned.map(({ decoders, partitions, start }, index): OpenOutput => {
    const file = files[index]?.createWriteStream() ?? null
    const writer = file === null ? io.out : new LineWriter(file)
    const tail = startTail(
      broker,
      start,
      (name, partition, record) => {
        const full = writer.json(resultOf(name, partition, record, decoders))
        return full === undefined ? !writer.closed : full.then(() => !writer.closed)
      },
      { prepare: (batch) => prepareBatch(decoders, batch.records) },
    )
    return { tail, partitions, file }
  })
  const failed = new Promise<never>((_, reject) => {
    for (const { tail } of opened) tail.ended.catch(reject)
  })
  failed.catch(() => undefined)
  const closeFiles = async (): Promise<void> => {
    for (const { file } of opened) {
      if (file === null || file.destroyed) continue
      file.end()
      await finished(file)
    }
  }
  return {
    failed,
    async finish() {
      for (const { tail, partitions } of opened) {
        await tail.until(await broker.offsets(partitions, 'stable'))
      }
      await closeFiles()
    },
    async close() {
      await Promise.allSettled(opened.map(({ tail }) => tail.close()))
      await closeFiles()
    },
  }
}

/** Opens all before one is emptied: a path that cannot be opened costs no other file what is in it. null stays null. */
async function openFiles(paths: readonly (string | null)[]): Promise<readonly (FileHandle | null)[]> {
  const handles: (FileHandle | null)[] = []
  try {
    for (const path of paths) {
      handles.push(path === null ? null : await open(path, constants.O_WRONLY | constants.O_CREAT))
    }
    for (const handle of handles) {
      // Pipes and devices have no length.
      if ((await handle?.stat())?.isFile()) await handle?.truncate()
    }
    return handles
  } catch (thrown) {
    await Promise.allSettled(handles.map(async (handle) => handle?.close()))
    throw thrown
  }
}
