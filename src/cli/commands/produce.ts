/** `produce`: lines of stdin or a file onto a topic; what it says at the end is what the broker has acknowledged. */

import { serdeByName } from '../../serde/formats.ts'
import { chooseBroker, ensureTopics, existingTopics, openBroker } from '../brokers.ts'
import { UsageError } from '../errors.ts'
import { feed, inputOf, nameOfInput } from '../feed.ts'
import { envelope, type Io, say } from '../io.ts'
import { readLines } from '../lines.ts'
import { loadTopology } from '../load.ts'
import { formatOfFile, type LineFormat, parseRecord, type Serdes } from '../records.ts'
import { onStop } from '../signals.ts'
import { mustKnow } from '../topic-serdes.ts'

export interface ProduceOptions {
  readonly broker?: string | undefined
  readonly file?: string | undefined
  readonly key?: string | undefined
  readonly value?: string | undefined
  readonly topology?: string | undefined
  readonly format?: 'ndjson' | 'text' | undefined
  readonly delimiter?: string | undefined
  readonly partitions?: number | undefined
  readonly json?: boolean | undefined
}

export async function produce(topic: string, options: ProduceOptions, io: Io): Promise<number> {
  const file = options.file ?? '-'
  const format = formatOf(options, file)
  const choice = chooseBroker(options.broker, io, false)
  const serdes = await serdesOf(topic, options, io)
  if (file !== '-') {
    // A bad line is found before anything is written.
    for await (const lines of readLines(inputOf(file, io), file)) {
      for (const line of lines) parseRecord(line, file, format, serdes)
    }
  }
  const stopping = onStop(io)
  const broker = await openBroker(choice, io)
  try {
    const topics =
      broker.kind === 'embedded'
        ? await ensureTopics(broker, [topic], options.partitions)
        : await existingTopics(broker, [topic])
    const producer = await broker.plainProducer()
    try {
      const target = { topic, partitions: topics.get(topic)?.partitions ?? 1, ...serdes }
      const source = inputOf(file, io)
      if (file === '-') void stopping.asked.then(() => io.stdin.destroy())
      const count = await feed(producer, target, source, nameOfInput(file), format, () => !stopping.isAsked)
      say(io, `${topic}: ${count} ${count === 1 ? 'record' : 'records'} written to ${broker.address}`)
      if (options.json === true) await io.out.json(envelope('produced', null, { topic, records: count }))
    } finally {
      await producer.close()
    }
    return 0
  } finally {
    stopping.dispose()
    await broker.close()
  }
}

function formatOf(options: ProduceOptions, file: string): LineFormat {
  if (options.delimiter !== undefined && options.format === 'ndjson') {
    throw new UsageError('--delimiter splits lines of text, and --format says ndjson', 'Give one of the two.')
  }
  if (options.format === 'ndjson') return { kind: 'ndjson' }
  if (options.delimiter !== undefined) return { kind: 'text', delimiter: options.delimiter }
  return options.format === 'text' ? { kind: 'text', delimiter: null } : formatOfFile(file)
}

async function serdesOf(topic: string, options: ProduceOptions, io: Io): Promise<Serdes> {
  if (options.topology === undefined) {
    return { key: serdeByName(options.key ?? 'string'), value: serdeByName(options.value ?? 'string') }
  }
  if (options.key !== undefined || options.value !== undefined) {
    throw new UsageError('--topology brings the serdes of the topic along', 'Leave --key and --value out.')
  }
  const { key, value } = mustKnow(await loadTopology(options.topology, io), topic, 'topic')
  return { key, value }
}
