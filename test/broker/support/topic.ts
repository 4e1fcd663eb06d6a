/** Topics of a test run: created, filled, and read back by the Java console consumer, which shares no code with us. */

import { connectKafka } from '../../../src/broker/kafka/broker.ts'
import type { Broker } from '../../../src/broker/port.ts'
import { noHeaders } from '../../../src/common/record.ts'
import { javaTools, runJavaTool } from '../../../tools/kafka/java-tool.ts'

export async function createTopic(broker: Broker, name: string, partitions: number): Promise<void> {
  await broker.createTopics([{ name, partitions, configs: { 'retention.ms': '-1' } }])
}

/** Writes values without keys, round the partitions. */
export async function writeLines(
  bootstrap: string,
  topic: string,
  partitions: number,
  lines: readonly string[],
): Promise<void> {
  const broker = await connectKafka({ bootstrap })
  const producer = await broker.plainProducer()
  const output = producer.output(topic)
  for (const [i, line] of lines.entries()) {
    output.append(i % partitions, null, Buffer.from(line), i, noHeaders)
    if (i % 10_000 === 9999) await producer.flush()
  }
  await producer.flush()
  await producer.close()
  await broker.close()
}

/** Committed records of a topic whose keys are text and whose values are int64, per key in the order of the log. */
export async function readCounts(bootstrap: string, topic: string): Promise<Map<string, number[]>> {
  const { stdout } = await runJavaTool(javaTools.consoleConsumer, [
    ...['--bootstrap-server', bootstrap, '--topic', topic, '--from-beginning', '--timeout-ms', '10000'],
    ...['--isolation-level', 'read_committed'],
    ...['--property', 'print.key=true'],
    ...['--value-deserializer', 'org.apache.kafka.common.serialization.LongDeserializer'],
  ])
  const counts = new Map<string, number[]>()
  for (const line of stdout.split('\n')) {
    const tab = line.indexOf('\t')
    if (tab < 0) continue
    const word = line.slice(0, tab)
    const seen = counts.get(word) ?? []
    counts.set(word, seen)
    seen.push(Number(line.slice(tab + 1)))
  }
  return counts
}
