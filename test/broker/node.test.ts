/** The ground under the broker tests: the node keeps what it was given over a crash, and leaves nothing behind. */
import { existsSync } from 'node:fs'
import { expect, inject, test } from 'vitest'
import { javaTools, runJavaTool } from '../../tools/kafka/java-tool.ts'
import { startKafka } from '../../tools/kafka/kafka.ts'

async function createTopic(bootstrap: string, topic: string): Promise<void> {
  await runJavaTool(javaTools.topics, ['--bootstrap-server', bootstrap, '--create', '--topic', topic])
}

async function produce(bootstrap: string, topic: string, lines: readonly string[]): Promise<void> {
  const acknowledged = ['--producer-property', 'acks=all']
  await runJavaTool(
    javaTools.consoleProducer,
    ['--bootstrap-server', bootstrap, '--topic', topic, ...acknowledged],
    `${lines.join('\n')}\n`,
  )
}

async function consume(bootstrap: string, topic: string, count: number): Promise<string[]> {
  const bounds = ['--from-beginning', '--max-messages', String(count), '--timeout-ms', '30000']
  const { stdout } = await runJavaTool(javaTools.consoleConsumer, [
    ...['--bootstrap-server', bootstrap, '--topic', topic, '--isolation-level', 'read_committed'],
    ...bounds,
  ])
  return stdout.trimEnd().split('\n')
}

test('the shared broker hands back what the Java producer wrote', async () => {
  const bootstrap = inject('bootstrap')
  const topic = `node-test-${process.pid}-${Date.now()}`
  await createTopic(bootstrap, topic)
  await produce(bootstrap, topic, ['one', 'two', 'three'])
  expect(await consume(bootstrap, topic, 3)).toEqual(['one', 'two', 'three'])
})

test('acknowledged records and the address outlive a kill; stop removes the directory', async () => {
  const kafka = await startKafka({ heap: '512m' })
  try {
    await createTopic(kafka.bootstrap, 'kept')
    await produce(kafka.bootstrap, 'kept', ['before'])
    kafka.kill()
    await kafka.ended()
    await kafka.restart()
    await produce(kafka.bootstrap, 'kept', ['after'])
    expect(await consume(kafka.bootstrap, 'kept', 2)).toEqual(['before', 'after'])
  } finally {
    await kafka.stop()
  }
  expect(existsSync(kafka.directory)).toBe(false)
})

test('a broker that cannot start says why and leaves nothing', async () => {
  await expect(startKafka({ config: { 'num.partitions': 'many' } })).rejects.toThrow(/num\.partitions/)
})

test('a failing Java tool is an error with its own words', async () => {
  await expect(runJavaTool('no.such.Tool', [])).rejects.toThrow('no.such.Tool')
})
