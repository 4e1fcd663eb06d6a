/** Which broker a command talks to, and its topics: on Kafka nothing is created by us behind the user's back; the embedded broker belongs to the user's folder and is filled as needed. */

import { join, resolve } from 'node:path'
import type { Broker, TopicDescription } from '../broker/port.ts'
import { StreamError } from '../common/errors.ts'
import { UsageError } from './errors.ts'
import { type Io, say } from './io.ts'
import { within } from './timer.ts'

export type BrokerChoice =
  | { readonly kind: 'kafka'; readonly bootstrap: readonly string[] }
  /** `dir` null: in memory. */
  | { readonly kind: 'embedded'; readonly dir: string | null }

const defaultDir = join('.streamctl', 'broker')
const connectTimeoutMs = 10_000
const grammar =
  'Give host:port (several with commas), embedded (kept in .streamctl/broker), embedded:memory or embedded:DIR.'

/**
 * The broker that --broker or STREAMCTL_BROKER names, else the embedded one.
 * @param inMemory whether the embedded broker that nobody asked for keeps nothing on disk.
 * @throws UsageError for an address that cannot be, and for the embedded broker in production unless asked for.
 */
export function chooseBroker(flag: string | undefined, io: Pick<Io, 'env' | 'cwd'>, inMemory: boolean): BrokerChoice {
  const asked = flag ?? (io.env.STREAMCTL_BROKER || undefined)
  if (asked !== undefined) return parseBroker(asked, io.cwd)
  if (io.env.NODE_ENV === 'production') {
    throw new UsageError(
      'no broker is given, and with NODE_ENV=production the embedded broker is not taken silently',
      'Give --broker host:9092 (or STREAMCTL_BROKER), or ask for it: --broker embedded.',
    )
  }
  return { kind: 'embedded', dir: inMemory ? null : resolve(io.cwd, defaultDir) }
}

function parseBroker(given: string, cwd: string): BrokerChoice {
  if (given === 'embedded') return { kind: 'embedded', dir: resolve(cwd, defaultDir) }
  if (given === 'embedded:memory') return { kind: 'embedded', dir: null }
  if (given.startsWith('embedded:') && given.length > 'embedded:'.length) {
    return { kind: 'embedded', dir: resolve(cwd, given.slice('embedded:'.length)) }
  }
  const bootstrap = given.split(',').map((address) => address.trim())
  for (const address of bootstrap) {
    const match = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})$/.exec(address)
    const port = Number(match?.[2])
    if (match === null || port < 1 || port > 65535) {
      throw new UsageError(`${JSON.stringify(address)} is not a broker address`, grammar)
    }
  }
  return { kind: 'kafka', bootstrap }
}

/**
 * Opens the chosen broker; what stands on stderr leaves no doubt whether it is Kafka.
 * @throws StreamError UNREACHABLE when Kafka does not answer within 10 s.
 */
export async function openBroker(choice: BrokerChoice, io: Io): Promise<Broker> {
  if (choice.kind === 'embedded') {
    const { openEmbedded } = await import('../broker/embedded/broker.ts')
    const broker = await openEmbedded(choice.dir === null ? {} : { dir: choice.dir })
    say(io, `broker: embedded, not Kafka (${choice.dir === null ? 'in memory, gone at the end' : choice.dir})`)
    return broker
  }
  const address = choice.bootstrap.join(',')
  const { connectKafka } = await import('../broker/kafka/broker.ts')
  const connecting = connectKafka({ bootstrap: choice.bootstrap })
  try {
    const broker = await within(
      connectTimeoutMs,
      connecting,
      (seconds) =>
        new StreamError('UNREACHABLE', `no Kafka broker answered at ${address} within ${seconds} s`, {
          hint: 'Check the address and that the broker runs; without --broker the embedded broker is used.',
        }),
    )
    say(io, `broker: Kafka at ${address}`)
    return broker
  } catch (thrown) {
    connecting.then(
      (broker) => broker.close(),
      () => undefined,
    )
    throw thrown
  }
}

/**
 * Makes sure that the topics are there. Missing ones are created on the embedded broker, with as many partitions as the
 * largest of those that exist, or 1: one partition keeps the order of a file.
 * @throws StreamError TOPIC_MISSING on Kafka.
 */
export async function ensureTopics(
  broker: Broker,
  names: readonly string[],
  partitions: number | undefined,
): Promise<ReadonlyMap<string, TopicDescription>> {
  const found = await broker.topics(names)
  const missing = names.filter((name) => !found.has(name))
  if (missing.length === 0) return found
  if (broker.kind === 'kafka') throw missingTopics(broker, missing)
  const count = partitions ?? Math.max(1, ...[...found.values()].map((topic) => topic.partitions))
  await broker.createTopics(missing.map((name) => ({ name, partitions: count, configs: {} })))
  return broker.topics(names)
}

/** The topics, which must all be there. */
export async function existingTopics(
  broker: Broker,
  names: readonly string[],
): Promise<ReadonlyMap<string, TopicDescription>> {
  const found = await broker.topics(names)
  const missing = names.filter((name) => !found.has(name))
  if (missing.length > 0) throw missingTopics(broker, missing)
  return found
}

function missingTopics(broker: Broker, missing: readonly string[]): StreamError {
  const names = missing.map((name) => JSON.stringify(name)).join(', ')
  const hint =
    broker.kind === 'kafka'
      ? `Create ${missing.length > 1 ? 'each' : 'it'}: kafka-topics.sh --bootstrap-server ${broker.address} --create --topic ${missing[0]} --partitions 4`
      : `Write to it first (streamctl produce ${missing[0]}), or check the name.`
  return new StreamError(
    'TOPIC_MISSING',
    `${missing.length > 1 ? 'topics' : 'topic'} ${names} ${missing.length > 1 ? 'do' : 'does'} not exist on ${broker.address}`,
    missing.length === 1 ? { hint, where: { topic: missing[0] as string } } : { hint },
  )
}
