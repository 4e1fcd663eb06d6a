/** Kafka Streams' side: our Java program on its TopologyTestDriver, one JVM for all inputs. */

import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { execute } from '../../bench/sides/execute.ts'
import { kafkaJars } from '../../tools/kafka/jars.ts'
import type { Stage } from './pipeline.ts'
import type { JsonRecord } from './record.ts'

const sources = join(import.meta.dirname, 'java')

type Answer = { readonly output: readonly JsonRecord[] } | { readonly error: string }

export class KafkaStreams {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: AsyncIterator<string>
  readonly #dir: string

  private constructor(child: ChildProcessByStdio<Writable, Readable, null>, dir: string) {
    this.#child = child
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    this.#dir = dir
  }

  /** @throws Error when there is no JDK, or the jars cannot be fetched. */
  static async start(): Promise<KafkaStreams> {
    const lib = join(await kafkaJars(), '*')
    const dir = await mkdtemp(join(tmpdir(), 'streamctl-parity-'))
    const files = (await readdir(sources)).map((name) => join(sources, name))
    await execute('javac', ['-cp', lib, '-d', dir, ...files])
    const flags = ['-Xmx512m', '-XX:+UseSerialGC', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error']
    const args = [...flags, '-cp', `${dir}:${lib}`, 'parity.Main', join(dir, 'state')]
    const child = spawn('java', args, { stdio: ['pipe', 'pipe', 'inherit'] })
    return new KafkaStreams(child, dir)
  }

  /** What it says of itself before the first request. */
  async topologies(): Promise<readonly string[]> {
    return (await this.#answer<{ readonly topologies: readonly string[] }>()).topologies
  }

  /** @throws Error with Java's stack trace when the topology fails on the input. */
  async run(topology: string | readonly Stage[], input: readonly JsonRecord[]): Promise<readonly JsonRecord[]> {
    const named = typeof topology === 'string' ? { topology } : { stages: topology }
    this.#child.stdin.write(`${JSON.stringify({ ...named, input })}\n`)
    const answer = await this.#answer<Answer>()
    if ('error' in answer) throw new Error(`Kafka Streams failed: ${answer.error}`)
    return answer.output
  }

  async close(): Promise<void> {
    const closed = once(this.#child, 'close')
    this.#child.stdin.end()
    await closed
    await rm(this.#dir, { recursive: true, force: true })
  }

  async #answer<T>(): Promise<T> {
    const { done, value } = await this.#lines.next()
    if (done) throw new Error('Kafka Streams ended; what it had to say is on stderr')
    return JSON.parse(value) as T
  }
}
