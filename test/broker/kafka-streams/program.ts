/** Kafka Streams on the test's broker: Everything.java, compiled against the jars that the broker runs from. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execute } from '../../../bench/sides/execute.ts'
import { kafkaJars } from '../../../tools/kafka/jars.ts'

export interface KafkaStreamsProgram {
  /** Rejects when it ended by itself, with what it said. */
  readonly ended: Promise<never>
  stop(): Promise<void>
}

/** @throws Error when there is no JDK, or the jars cannot be fetched. */
export async function startKafkaStreams(
  bootstrap: string,
  inputs: string,
  outputs: string,
): Promise<KafkaStreamsProgram> {
  const lib = join(await kafkaJars(), '*')
  const dir = await mkdtemp(join(tmpdir(), 'streamctl-kafka-streams-'))
  await execute('javac', ['-cp', lib, '-d', dir, join(import.meta.dirname, 'Everything.java')])
  const flags = ['-Xmx512m', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error']
  const args = ['-cp', `${dir}:${lib}`, 'everything.Everything', bootstrap, inputs, outputs, join(dir, 'state')]
  const child = spawn('java', [...flags, ...args], { stdio: ['pipe', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const closed = once(child, 'close')
  const ended = closed.then(([status]) => {
    throw new Error(`Kafka Streams ended with ${String(status)}:\n${said}`)
  })
  ended.catch(() => undefined)
  return {
    ended: ended as Promise<never>,
    async stop() {
      child.stdin.end()
      await closed
      await rm(dir, { recursive: true, force: true })
    },
  }
}
