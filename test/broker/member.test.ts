import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { connectKafka } from '../../src/broker/kafka/broker.ts'
import { type Cluster, connectCluster } from '../../src/broker/kafka/cluster.ts'
import { joinGroup } from '../../src/broker/kafka/member.ts'
import type { Broker, GroupMember, MemberOptions } from '../../src/broker/port.ts'
import type { TopicPartition } from '../../src/common/record.ts'
import { javaTools, runJavaTool } from '../../tools/kafka/java-tool.ts'
import { type FaultProxy, startProxy } from './tcp-proxy.ts'

const bootstrap = inject('bootstrap')
const run = Date.now().toString(36)
let names = 0
const fresh = (what: string): string => `${what}-${run}-${names++}`

let broker: Broker
let cluster: Cluster
let proxy: FaultProxy

beforeAll(async () => {
  broker = await connectKafka({ bootstrap })
  cluster = await connectCluster({ bootstrap })
  proxy = await startProxy(bootstrap)
})
afterAll(async () => {
  await broker?.close()
  await cluster?.close()
  await proxy?.close()
})

async function newTopic(partitions: number): Promise<string> {
  const name = fresh('shared')
  await broker.createTopics([{ name, partitions, configs: {} }])
  return name
}

interface Told {
  /** Resolves when the line is told, at once when it was told before. */
  until(line: string | RegExp): Promise<string>
  readonly lines: string[]
  say(line: string): void
}

function listener(): Told {
  const lines: string[] = []
  let heard = Promise.withResolvers<void>()
  return {
    lines,
    say(line) {
      lines.push(line)
      heard.resolve()
      heard = Promise.withResolvers()
    },
    async until(wanted) {
      for (;;) {
        const found = lines.find((line) => (typeof wanted === 'string' ? line === wanted : wanted.test(line)))
        if (found !== undefined) return found
        await heard.promise
      }
    },
  }
}

/** Deals partitions out in turn, by user data. */
function options(
  groupId: string,
  topic: string,
  name: string,
  told: Told,
  more: Partial<MemberOptions> = {},
): MemberOptions {
  return {
    groupId,
    topics: [topic],
    sessionTimeoutMs: 10_000,
    heartbeatIntervalMs: 200,
    userData: () => Buffer.from(name),
    assign(members) {
      told.say(`${name} leads ${members.map(({ userData }) => String(userData)).sort()}`)
      const sorted = [...members].sort((a, b) => a.userData.compare(b.userData))
      const count = cluster.partitionCount(topic) ?? 4
      const dealt = sorted.map(({ memberId }, index): [string, TopicPartition[]] => [
        memberId,
        Array.from({ length: count }, (_, partition) => ({ topic, partition })).filter(
          ({ partition }) => partition % sorted.length === index,
        ),
      ])
      return new Map(dealt.map(([memberId, partitions]) => [memberId, { partitions, userData: Buffer.alloc(0) }]))
    },
    async onRevoke() {
      told.say(`${name} revoke`)
    },
    async onAssign({ partitions }, { generation }) {
      told.say(`${name} has ${partitions.map(({ partition }) => partition).join()} in ${generation}`)
    },
    async onLost() {
      told.say(`${name} lost`)
    },
    onError(error) {
      told.say(`${name} error ${(error as { code?: string }).code}`)
    },
    ...more,
  }
}

test('two members share a topic, revoke is awaited, and Kafka describes the group', async () => {
  const topic = await newTopic(4)
  const groupId = fresh('group')
  const told = listener()
  const gate = Promise.withResolvers<void>()
  const a = await broker.join(
    options(groupId, topic, 'a', told, {
      onRevoke: async () => {
        told.say('a revoke')
        await gate.promise
        told.say('a revoked')
      },
    }),
  )
  await told.until('a has 0,1,2,3 in 1')
  const b = await broker.join(options(groupId, topic, 'b', told))
  await told.until('a revoke')
  // b waits in its join until a comes back.
  expect(told.lines.some((line) => line.startsWith('b has'))).toBe(false)
  gate.resolve()
  await told.until('a has 0,2 in 2')
  await told.until('b has 1,3 in 2')
  expect(told.lines.indexOf('a revoked')).toBeLessThan(told.lines.indexOf('b has 1,3 in 2'))

  const { stdout } = await runJavaTool(javaTools.consumerGroups, [
    ...['--bootstrap-server', bootstrap, '--describe', '--group', groupId, '--members', '--verbose'],
  ])
  expect(stdout).toContain(`${topic}`)
  expect(stdout.match(/streamctl-[0-9a-f-]{36}/g)).toHaveLength(2)
  expect(stdout).toMatch(/\b0,\s?2\b|\(0,2\)/)

  await b.close()
  await told.until('a has 0,1,2,3 in 3')
  const before = told.lines.length
  await a.close()
  expect((await broker.describeGroup(groupId)).state).toBe('Empty')
  expect(told.lines).toHaveLength(before)
})

test('a static member that starts again keeps its place without a rebalance; its double is fenced', async () => {
  const topic = await newTopic(4)
  const groupId = fresh('group')
  const told = listener()
  const a = await broker.join(options(groupId, topic, 'a', told, { instanceId: 'a' }))
  await told.until('a has 0,1,2,3 in 1')
  const b = await broker.join(options(groupId, topic, 'b', told, { instanceId: 'b' }))
  await told.until('b has 1,3 in 2')
  await told.until('a has 0,2 in 2')
  await b.close()
  const again = listener()
  const b2 = await broker.join(options(groupId, topic, 'b', again, { instanceId: 'b' }))
  expect(await again.until(/^b has/)).toBe('b has 1,3 in 2')
  const double = listener()
  const b3 = await broker.join(options(groupId, topic, 'b', double, { instanceId: 'b' }))
  await double.until('b has 1,3 in 2')
  expect(await again.until(/error/)).toBe('b error FENCED')
  expect(told.lines.filter((line) => line.startsWith('a'))).toEqual([
    'a leads a',
    'a has 0,1,2,3 in 1',
    'a revoke',
    'a leads a,b',
    'a has 0,2 in 2',
  ])
  await Promise.all([a, b2, b3].map((member: GroupMember) => member.close()))
})

test('a static member that leaves while it joins is not waited for', async () => {
  const topic = await newTopic(4)
  const groupId = fresh('group')
  const told = listener()
  const held = Promise.withResolvers<void>()
  const a = await broker.join(options(groupId, topic, 'a', told, { instanceId: 'a', leaveOnClose: true }))
  await told.until('a has 0,1,2,3 in 1')
  await a.close()
  const first = await broker.join(
    options(groupId, topic, 'first', told, { instanceId: 'first', leaveOnClose: true, onRevoke: () => held.promise }),
  )
  await told.until(/^first has 0,1,2,3/)
  // Its join is answered when the first one has given back, which it does not yet.
  const b = await broker.join(options(groupId, topic, 'b', told, { instanceId: 'b', leaveOnClose: true }))
  const members = async () => (await broker.describeGroup(groupId)).members.length
  await expect.poll(members).toBe(2)
  await b.close()
  expect(await members()).toBe(1)
  held.resolve()
  await first.close()
})

test('a member cut off for longer than its session is lost, and joins again', async () => {
  const topic = await newTopic(4)
  const groupId = fresh('group')
  const told = listener()
  const connected = await connectKafka({ bootstrap: proxy.bootstrap, requestTimeoutMs: 3_000 })
  const a = await connected.join(options(groupId, topic, 'a', told, { sessionTimeoutMs: 6_000 }))
  await told.until('a has 0,1,2,3 in 1')
  proxy.decide(() => 'lose-request')
  await told.until('a lost')
  const other = listener()
  const b = await broker.join(options(groupId, topic, 'b', other))
  await other.until(/^b has 0,1,2,3/)
  proxy.decide(() => 'pass')
  await told.until(/^a has 0,2 in/)
  await other.until(/^b has 1,3 in/)
  await a.close()
  await b.close()
  await connected.close()
})

test('a connection that breaks for a moment changes nothing', async () => {
  const topic = await newTopic(4)
  const told = listener()
  const connected = await connectKafka({ bootstrap: proxy.bootstrap })
  const a = await connected.join(options(fresh('group'), topic, 'a', told))
  await told.until('a has 0,1,2,3 in 1')
  let beats = 0
  const fewBeats = Promise.withResolvers<void>()
  proxy.decide((apiKey) => {
    if (apiKey !== 12) return 'pass'
    if (++beats === 6) fewBeats.resolve()
    return beats % 2 === 1 ? 'lose-answer' : 'pass'
  })
  await fewBeats.promise
  proxy.decide(() => 'pass')
  expect(told.lines).toEqual(['a leads a', 'a has 0,1,2,3 in 1'])
  await a.close()
  await connected.close()
})

test('new partitions are noticed by the leader and assigned', async () => {
  const topic = await newTopic(2)
  const told = listener()
  const member = await joinGroup(cluster, options(fresh('group'), topic, 'a', told), { metadataMaxAgeMs: 200 })
  await told.until('a has 0,1 in 1')
  await runJavaTool(javaTools.topics, [
    ...['--bootstrap-server', bootstrap, '--alter', '--topic', topic, '--partitions', '5'],
  ])
  await told.until(/^a has 0,1,2,3,4 in/)
  await member.close()
})
