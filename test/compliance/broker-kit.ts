/** What the broker compliance suite is written with: reading to a position, members that record what happens to them. */

import { randomUUID } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type {
  Broker,
  FetchedPartition,
  Fetcher,
  FetcherOptions,
  GroupMember,
  GroupMetadata,
  MemberDescription,
  OffsetSpec,
  TransactionalProducer,
} from '../../src/broker/port.ts'
import { type ConsumerRecord, noHeaders, type TopicPartition } from '../../src/common/record.ts'

/** Brokers are shared between runs: every name is used once. */
export function unique(what: string): string {
  return `${what}-${randomUUID()}`
}

export const bytes = (text: string): Buffer => Buffer.from(text)

export function texts(records: readonly ConsumerRecord[]): (string | null)[] {
  return records.map(({ value }) => value?.toString() ?? null)
}

/** A commit from outside the group, which no generation fences. */
export function outsider(groupId: string): GroupMetadata {
  return { groupId, generation: -1, memberId: '', instanceId: null }
}

/** Asks until there is an answer; the test's timeout is the limit. */
export async function eventually<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    await setImmediate()
  }
}

export async function newTopic(broker: Broker, partitions = 1, configs: Record<string, string> = {}): Promise<string> {
  const name = unique('topic')
  await broker.createTopics([{ name, partitions, configs: { 'retention.ms': '-1', ...configs } }])
  return name
}

export async function offsetOf(broker: Broker, topic: string, at: OffsetSpec, partition = 0): Promise<number> {
  const [found] = await broker.offsets([{ topic, partition }], at)
  if (found === undefined) throw new Error(`no ${at} offset of ${topic}-${partition}`)
  return found.offset
}

/** The end of a partition once no transaction is open there: markers may be written after a commit is acknowledged. */
export function settledEnd(broker: Broker, topic: string, partition = 0): Promise<number> {
  return eventually(async () => {
    const end = await offsetOf(broker, topic, 'end', partition)
    return (await offsetOf(broker, topic, 'stable', partition)) === end ? end : undefined
  })
}

export async function pollUntil(
  fetcher: Fetcher,
  isDone: (all: readonly FetchedPartition[]) => boolean,
): Promise<readonly FetchedPartition[]> {
  const all: FetchedPartition[] = []
  while (!isDone(all)) all.push(...(await fetcher.poll(1000)))
  return all
}

/** Everything a new fetcher delivers of [from, to), and where it stands then. */
export async function readRange(
  broker: Broker,
  topic: string,
  options: FetcherOptions & { readonly from?: number; readonly to: number; readonly partition?: number },
): Promise<{ readonly records: readonly ConsumerRecord[]; readonly position: number }> {
  const { from = 0, to, partition = 0, ...rest } = options
  const fetcher = broker.fetcher(rest)
  fetcher.assign([{ topic, partition, offset: from }])
  const all = from >= to ? [] : await pollUntil(fetcher, (seen) => (seen.at(-1)?.position ?? from) >= to)
  await fetcher.close()
  return { records: all.flatMap(({ records }) => records), position: all.at(-1)?.position ?? from }
}

/** Everything committed, once no transaction is open. */
export async function readCommitted(broker: Broker, topic: string, partition = 0): Promise<readonly ConsumerRecord[]> {
  const from = await offsetOf(broker, topic, 'earliest', partition)
  const to = await settledEnd(broker, topic, partition)
  return (await readRange(broker, topic, { from, to, partition })).records
}

export function append(
  producer: Pick<TransactionalProducer, 'output'>,
  topic: string,
  value: string,
  partition = 0,
): void {
  producer.output(topic).append(partition, null, bytes(value), 1_600_000_000_000, noHeaders)
}

/**
 * Appends until the broker holds records of the open transaction ("sent at commit, or before when there are many").
 * Returns how many; their values are `name` and a number, padded.
 */
export async function openInLog(
  broker: Broker,
  producer: TransactionalProducer,
  topic: string,
  name: string,
): Promise<number> {
  const before = await offsetOf(broker, topic, 'end')
  for (let count = 1; count <= 256; count++) {
    append(producer, topic, `${name}-${count}`.padEnd(256 * 1024, '.'))
    await setImmediate()
    if ((await offsetOf(broker, topic, 'end')) > before) return count
  }
  throw new Error('64 MiB were appended and nothing was sent')
}

export interface Assigned {
  readonly partitions: readonly TopicPartition[]
  readonly userData: string
  readonly metadata: GroupMetadata
}

export interface TestMember extends GroupMember {
  /** The first assignment, past or to come, that no earlier call has returned and that fits. */
  assigned(fits?: (assigned: Assigned) => boolean): Promise<Assigned>
  /** User data by member of every `assign` this member ran as leader. */
  readonly led: (readonly MemberDescription[])[]
  readonly errors: Error[]
}

export interface TestMemberOptions {
  readonly topic: string
  readonly partitions: number
  readonly groupId: string
  readonly name: string
  /** `<name> revoke`, `<name> revoked`, `<name> assign`, `<name> lost`, in the order they happen. */
  readonly events?: string[]
  userData?(): string
  /** What it tells a member as leader; default nothing. */
  tells?(memberId: string): string
  onRevoke?(): Promise<void>
}

/** Joins with an assignor that deals the topic's partitions out in turn, by member id. */
export async function joinAs(broker: Broker, options: TestMemberOptions): Promise<TestMember> {
  const { topic, partitions, groupId, name, events = [] } = options
  const assignments: Assigned[] = []
  const led: (readonly MemberDescription[])[] = []
  const errors: Error[] = []
  let arrived = Promise.withResolvers<void>()
  const member = await broker.join({
    groupId,
    topics: [topic],
    sessionTimeoutMs: 10_000,
    heartbeatIntervalMs: 200,
    userData: () => bytes(options.userData?.() ?? name),
    assign(members) {
      led.push(members)
      const ids = members.map(({ memberId }) => memberId).sort()
      const dealt = new Map<string, TopicPartition[]>(ids.map((id) => [id, []]))
      for (let partition = 0; partition < partitions; partition++) {
        dealt.get(ids[partition % ids.length] ?? '')?.push({ topic, partition })
      }
      return new Map(
        [...dealt].map(([id, partitions]) => [id, { partitions, userData: bytes(options.tells?.(id) ?? '') }]),
      )
    },
    async onRevoke() {
      events.push(`${name} revoke`)
      await options.onRevoke?.()
      events.push(`${name} revoked`)
    },
    async onAssign({ partitions: given, userData }, metadata) {
      events.push(`${name} assign`)
      assignments.push({ partitions: given, userData: String(userData), metadata })
      arrived.resolve()
      arrived = Promise.withResolvers()
    },
    async onLost() {
      events.push(`${name} lost`)
    },
    onError: (error) => errors.push(error),
  })
  return {
    rejoin: () => member.rejoin(),
    close: () => member.close(),
    led,
    errors,
    async assigned(fits = () => true) {
      for (;;) {
        const next = assignments.shift()
        if (next === undefined) await arrived.promise
        else if (fits(next)) return next
      }
    },
  }
}

export const partitionsOf = ({ partitions }: Assigned): number[] => partitions.map(({ partition }) => partition).sort()
