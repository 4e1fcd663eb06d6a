/** Topics: which there are, how they are configured, and making those that are missing. */

import { StreamError } from '../../common/errors.ts'
import type { TopicDescription, TopicSpec } from '../port.ts'
import type { Cluster } from './cluster.ts'
import type { NodeRequest } from './connections.ts'
import type { TopicMetadata } from './metadata.ts'
import { protocolError, protocolFailure } from './protocol-errors.ts'
import { AskAgain, untilAnswered } from './retry.ts'
import { Reader, Writer } from './wire.ts'

/** ms a question is asked again for. */
const deadlineMs = 30_000
const topicExists = 36
const unknownTopic = 3
/** The broker's default.replication.factor (KIP-464). */
const defaultReplication = -1

/** @throws StreamError UNREACHABLE, UNAUTHORIZED for a named topic that may not be described. */
export async function describeTopics(
  cluster: Cluster,
  names?: readonly string[],
): Promise<ReadonlyMap<string, TopicDescription>> {
  if (names?.length === 0) return new Map()
  return untilAnswered(
    { deadlineMs, closed: cluster.closed },
    async () => {
      const { topics } = await cluster.describe(names ?? null)
      const found = new Map<string, TopicDescription>()
      for (const { name, error, internal, leaders } of topics) {
        if (error === unknownTopic || (names === undefined && (internal || error !== 0))) continue
        if (error !== 0) {
          const failure = protocolFailure(error, `describing topic '${name}'`, { where: { topic: name } })
          throw protocolError(error).retriable ? new AskAgain(failure) : failure
        }
        found.set(name, { name, partitions: leaders.length })
      }
      return found
    },
    () => {},
  )
}

/**
 * Creates what is missing and waits until every partition has a leader.
 * @throws StreamError INVALID_ARGUMENT for a name, count or config the broker refuses, UNAUTHORIZED, UNREACHABLE.
 */
export async function createTopics(cluster: Cluster, specs: readonly TopicSpec[]): Promise<void> {
  if (specs.length === 0) return
  let left = specs
  await untilAnswered(
    { deadlineMs, closed: cluster.closed },
    async () => {
      const { controllerId } = await cluster.describe([])
      const connection = await (controllerId >= 0 ? cluster.node(controllerId) : cluster.any())
      const answers = readCreateTopics(await connection.send(createTopicsRequest(left)))
      let again: StreamError | null = null
      const done = new Set<string>()
      for (const { name, error, message } of answers) {
        if (error === 0 || error === topicExists) {
          done.add(name)
          continue
        }
        const failure = protocolFailure(error, `creating topic '${name}'`, { where: { topic: name }, detail: message })
        if (!protocolError(error).retriable) throw failure
        again = failure
      }
      left = left.filter(({ name }) => !done.has(name))
      if (again !== null) throw new AskAgain(again)
    },
    () => {},
  )
  await untilUsable(cluster, specs)
}

async function untilUsable(cluster: Cluster, specs: readonly TopicSpec[]): Promise<void> {
  const names = specs.map(({ name }) => name)
  await untilAnswered(
    { deadlineMs, closed: cluster.closed, backoff: { firstMs: 20, maxMs: 500 } },
    async () => {
      const { topics } = await cluster.describe(names)
      const waiting = names.filter((name) => !isUsable(topics.find((topic) => topic.name === name)))
      if (waiting.length > 0) {
        throw new AskAgain(new StreamError('TIMEOUT', `created topics have no leaders yet: ${waiting.join(', ')}`))
      }
    },
    () => {},
  )
}

function isUsable(topic: TopicMetadata | undefined): boolean {
  return topic !== undefined && topic.error === 0 && topic.leaders.every((leader) => leader >= 0)
}

/**
 * All configs of the topics, defaults included.
 * @throws StreamError UNAUTHORIZED for a topic whose configs may not be described, TOPIC_MISSING, UNREACHABLE.
 */
export async function describeConfigs(
  cluster: Cluster,
  topics: readonly string[],
): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>> {
  if (topics.length === 0) return new Map()
  return untilAnswered(
    { deadlineMs, closed: cluster.closed },
    async () => {
      const connection = await cluster.any()
      const found = new Map<string, Readonly<Record<string, string>>>()
      for (const { name, error, message, configs } of readConfigs(await connection.send(configsRequest(topics)))) {
        if (error !== 0) {
          const place = { where: { topic: name }, detail: message }
          const failure = protocolFailure(error, `describing the configs of topic '${name}'`, place)
          throw protocolError(error).retriable ? new AskAgain(failure) : failure
        }
        found.set(name, configs)
      }
      return found
    },
    () => {},
  )
}

function createTopicsRequest(specs: readonly TopicSpec[]): NodeRequest {
  const body = new Writer()
    .array(specs, (w, { name, partitions, configs }) =>
      w
        .string(name)
        .int32(partitions)
        .int16(defaultReplication)
        .array([], () => {})
        .array(Object.entries(configs), (v, [key, value]) => v.string(key).string(value)),
    )
    .int32(deadlineMs)
    .boolean(false)
    .finish()
  return { apiKey: 19, apiVersion: 4, apiName: 'CreateTopics', flexible: false, body, timeoutMs: deadlineMs + 1000 }
}

function readCreateTopics(
  body: Buffer,
): readonly { readonly name: string; readonly error: number; readonly message: string | null }[] {
  const r = new Reader(body)
  r.int32()
  return r.array(() => ({ name: r.string(), error: r.int16(), message: r.nullableString() }))
}

/** What ConfigResource.Type calls a topic. */
const topicResource = 2

function configsRequest(topics: readonly string[]): NodeRequest {
  const body = new Writer()
    .array(topics, (w, topic) => w.int8(topicResource).string(topic).int32(-1))
    .boolean(false)
    .finish()
  return { apiKey: 32, apiVersion: 1, apiName: 'DescribeConfigs', flexible: false, body }
}

interface DescribedConfigs {
  readonly name: string
  readonly error: number
  readonly message: string | null
  readonly configs: Readonly<Record<string, string>>
}

function readConfigs(body: Buffer): readonly DescribedConfigs[] {
  const r = new Reader(body)
  r.int32()
  return r.array(() => {
    const [error, message] = [r.int16(), r.nullableString()]
    r.int8()
    return { error, message, name: r.string(), configs: Object.fromEntries(r.array(readConfig)) }
  })
}

/** Without what else is said of it: whether it is read-only, whose it is, whether it is sensitive, and its synonyms. */
function readConfig(r: Reader): readonly [name: string, value: string] {
  const config = [r.string(), r.nullableString() ?? ''] as const
  r.boolean()
  r.int8()
  r.boolean()
  r.array(() => [r.string(), r.nullableString(), r.int8()])
  return config
}
