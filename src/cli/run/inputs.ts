/** The files bound to source topics by `run --in`: read once before anything is written, then fed, files at the start and pipes while the app runs. */

import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Broker } from '../../broker/port.ts'
import type { Topology } from '../../topology/node.ts'
import { UsageError } from '../errors.ts'
import { feed, inputOf, nameOfInput, type Target } from '../feed.ts'
import type { Io } from '../io.ts'
import { readLines } from '../lines.ts'
import type { TopicFile } from '../options.ts'
import { pace } from '../pace.ts'
import { formatOfFile, parseRecord, type Serdes } from '../records.ts'
import { mustKnow } from '../topic-serdes.ts'

/** A file, its topic, and how the records are written there. */
export interface Binding extends TopicFile, Serdes {}

/** @throws UsageError for a topic that the topology does not read. */
export function bindInputs(topology: Topology, files: readonly TopicFile[]): readonly Binding[] {
  return files.map(({ topic, file }) => {
    const { key, value } = mustKnow(topology, topic, 'source')
    return { file, topic, key, value }
  })
}

/**
 * Reads every file once: a bad line leaves no half of it on the topic.
 * @throws StreamError SERIALIZATION for a line that is no record; UsageError for a directory.
 */
export async function checkInputs(bindings: readonly Binding[], io: Io): Promise<void> {
  for (const binding of bindings) {
    if (!(await isRegularFile(binding.file, io))) continue
    const format = formatOfFile(binding.file)
    for await (const lines of readLines(inputOf(binding.file, io), binding.file)) {
      for (const line of lines) parseRecord(line, binding.file, format, binding)
    }
  }
}

export interface InputParts {
  readonly broker: Broker
  readonly io: Io
  /** Partition count of a topic. */
  readonly partitions: (topic: string) => number
  /** Records a second of each file; undefined: as fast as they go. */
  readonly rate: number | undefined
  /** Asked between flushes; false ends the feeds early. */
  readonly going: () => boolean
  /** Told of each file at its end. */
  readonly fed: (topic: string, records: number, file: string) => void
}

export interface Inputs {
  /**
   * What can be fed before the app starts: with all of it there, records of several topics are taken in the order of their timestamps.
   * @throws StreamError as `feed`.
   */
  feedFirst(): Promise<void>
  /** The rest, which comes while the app runs: pipes, and everything at a rate. @throws StreamError as `feed`. */
  feedRest(): Promise<void>
}

type Bound = Binding & Target

/** @throws UsageError for a directory. */
export async function openInputs(bindings: readonly Binding[], parts: InputParts): Promise<Inputs> {
  const { rate, io, partitions } = parts
  const first: Bound[] = []
  const rest: Bound[] = []
  for (const binding of bindings) {
    const isFirst = rate === undefined && (await isRegularFile(binding.file, io))
    ;(isFirst ? first : rest).push({ ...binding, partitions: partitions(binding.topic) })
  }
  return {
    feedFirst: () => feedAll(first, parts),
    async feedRest() {
      if (rate === undefined) await feedAll(rest, parts)
      // Side by side, since each would otherwise wait for the end of the one before.
      else await Promise.all(rest.map((each) => feedAll([each], parts)))
    },
  }
}

/** One after another. */
async function feedAll(inputs: readonly Bound[], { broker, io, rate, going, fed }: InputParts): Promise<void> {
  if (inputs.length === 0) return
  const producer = await broker.plainProducer()
  try {
    for (const input of inputs) {
      const name = nameOfInput(input.file)
      const source = inputOf(input.file, io)
      const held = rate === undefined ? undefined : pace(rate)
      const records = await feed(producer, input, source, name, formatOfFile(input.file), going, held)
      fed(input.topic, records, name)
    }
  } finally {
    await producer.close()
  }
}

/** Pipes are read while the app runs, files before. */
async function isRegularFile(file: string, io: Io): Promise<boolean> {
  if (file === '-') return false
  const found = await stat(resolve(io.cwd, file))
  if (found.isDirectory()) throw new UsageError(`${file} is a directory`, 'Name a file of records, one on each line.')
  return found.isFile()
}
