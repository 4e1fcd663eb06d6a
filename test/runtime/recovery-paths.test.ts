import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type EmbeddedBroker, openEmbedded } from '../../src/broker/embedded/broker.ts'
import type { ErrorCode } from '../../src/common/errors.ts'
import { noHeaders } from '../../src/common/record.ts'
import type { Delay, Fault, Step } from './faulty-broker.ts'
import { consumed, type Event, feed, model, partitions, partitionsOf, read, topics } from './ledger.ts'
import { type LedgerProcess, once, startLedger } from './process.ts'

let cluster: EmbeddedBroker
let dir: string
let fed: Event[]
let running: LedgerProcess[]

beforeEach(async () => {
  cluster = await openEmbedded()
  await cluster.createTopics(topics.map((name) => ({ name, partitions, configs: {} })))
  dir = await mkdtemp(join(tmpdir(), 'streamctl-recovery-'))
  fed = []
  running = []
})

afterEach(async () => {
  for (const { app } of running) await app.stop().catch(() => undefined)
  await cluster.close()
  await rm(dir, { recursive: true, force: true })
})

/** Records of two partitions and three keys each, sometimes late for their window. */
async function feedMore(count: number): Promise<void> {
  const input = Array.from({ length: count }, (_, i): Event => {
    const n = fed.length + i
    return {
      partition: n % partitions,
      key: 'xyz'[n % 3] as string,
      value: 'abcd'[(n * 7) % 4] as string,
      timestamp: n * 2 - (n % 5 === 4 ? Math.min(2 * n, 25) : 0),
    }
  })
  await feed(cluster, input)
  fed.push(...input)
}

async function start(
  decide?: (step: Step, call: number) => Fault | Delay | undefined,
  options: Parameters<typeof startLedger>[3] & { readonly at?: string } = {},
): Promise<LedgerProcess> {
  const { at = 'one', ...more } = options
  const process = await startLedger(cluster, join(dir, at), decide, more)
  running.push(process)
  return process
}

/** Outputs equal the model, and so do those of a process that has nothing but the changelogs, and of one that has its disk. */
async function expectExact(): Promise<void> {
  await consumed(cluster)
  for (const { app } of running) await app.stop().catch(() => undefined)
  expect(await read(cluster)).toEqual(model(fed))
  for (const { faulty } of running) expect(faulty.violations).toEqual([])
  for (const at of ['one', 'fresh']) {
    const next = await start(undefined, { at })
    await feedMore(12)
    await consumed(cluster)
    await next.app.stop()
    expect(await read(cluster)).toEqual(model(fed))
  }
}

test('nothing fails: outputs are those of the model', async () => {
  await feedMore(60)
  await start()
  await expectExact()
})

const failures: readonly (readonly [Step, 'before' | 'after', ErrorCode])[] = [
  ['commit', 'before', 'UNKNOWN_OUTCOME'],
  ['commit', 'after', 'UNKNOWN_OUTCOME'],
  ['commit', 'before', 'FENCED'],
  ['commit', 'before', 'REBALANCE'],
  ['commit', 'before', 'UNREACHABLE'],
  ['commit', 'after', 'TIMEOUT'],
  ['poll', 'before', 'UNREACHABLE'],
  ['poll', 'after', 'UNREACHABLE'],
  ['committed', 'before', 'UNREACHABLE'],
  ['offsets', 'before', 'UNREACHABLE'],
]

test.each(failures)('a %s that fails %s the broker did it, with %s: dropped and redone', async (step, when, code) => {
  await feedMore(40)
  for (const call of [0, 2]) {
    const process = await start(once(step, call, { when, code }))
    await feedMore(20)
    await consumed(cluster)
    await process.app.stop()
    expect(process.app.snapshot().commits.aborted).toBe(process.faulty.calls[step] > call ? 1 : 0)
  }
  await expectExact()
})

test('the broker is out of reach for a while, at every call', async () => {
  await feedMore(30)
  let failed = 0
  const process = await start((_step, call) => {
    if (call === 0 || failed >= 5) return undefined
    failed++
    return { when: 'before', code: 'UNREACHABLE' }
  })
  await feedMore(30)
  await consumed(cluster)
  expect(failed).toBe(5)
  expect(process.app.snapshot().state).toBe('running')
  await expectExact()
})

test.each(['before', 'after'] as const)('the process dies %s its commit took place', async (when) => {
  await feedMore(40)
  const process = await start(once('commit', 3, { when, code: 'UNREACHABLE', crash: true }))
  for (let i = 0; i < 20 && !process.faulty.isDead(); i++) {
    await feedMore(4)
    await consumed(cluster, 100).catch(() => undefined)
  }
  expect(process.faulty.isDead()).toBe(true)
  await process.crash()
  await start()
  await expectExact()
})

test('a reset that fails, too, is tried again', async () => {
  await feedMore(40)
  let resets = 0
  await start((step, call) => {
    if (step === 'commit' && call === 1) return { when: 'before', code: 'UNKNOWN_OUTCOME' }
    if (step === 'reset' && resets++ < 3) return { when: 'before', code: 'UNREACHABLE' }
    return undefined
  })
  await feedMore(20)
  await expectExact()
  expect(resets).toBeGreaterThan(3)
})

test('thrown out of the group: what is not committed is dropped, and the member comes back', async () => {
  await feedMore(40)
  const { app } = await start()
  await consumed(cluster)
  for (let i = 0; i < 3; i++) {
    await feedMore(8)
    const [member] = (await cluster.describeGroup('ledger')).members
    expect(cluster.expireMember('ledger', member?.memberId ?? '')).toBe(true)
    await consumed(cluster)
  }
  expect(app.snapshot().commits.rebalances).toBeGreaterThanOrEqual(4)
  await expectExact()
})

test.each([1, 2, 3, 5])(
  'thrown out, and %i resets fail: work goes on with a producer that was reset',
  async (resets) => {
    await feedMore(40)
    let failing = 0
    await start((step) => (step === 'reset' && failing-- > 0 ? { when: 'before', code: 'UNREACHABLE' } : undefined))
    await consumed(cluster)
    failing = resets
    await feedMore(8)
    const [member] = (await cluster.describeGroup('ledger')).members
    cluster.expireMember('ledger', member?.memberId ?? '')
    await expectExact()
  },
)

test('a revoke while a commit is under way waits for it', async () => {
  await feedMore(40)
  const held = Promise.withResolvers<void>()
  const process = await start(once('commit', 1, { hold: held.promise }))
  await expect.poll(() => process.faulty.calls.commit).toBe(2)
  // Another member takes half of the tasks: it gets none before the first has ended its commit.
  const other = await start(undefined, { at: 'two' })
  await feedMore(10)
  await new Promise((resolve) => setTimeout(resolve, 30))
  expect(other.app.snapshot().tasks).toEqual([])
  held.resolve()
  await expect.poll(() => other.app.snapshot().tasks.length).toBe(2)
  expect(process.app.snapshot().commits.aborted).toBe(0)
  await expectExact()
})

test('a stop while a commit is under way waits for it', async () => {
  await feedMore(40)
  const held = Promise.withResolvers<void>()
  const process = await start(once('commit', 1, { hold: held.promise }))
  await expect.poll(() => process.faulty.calls.commit).toBe(2)
  const stopped = process.app.stop()
  await new Promise((resolve) => setTimeout(resolve, 30))
  expect(process.app.snapshot().state).toBe('draining')
  held.resolve()
  await stopped
  expect(process.app.snapshot()).toMatchObject({ state: 'stopped', commits: { aborted: 0 } })
  await expectExact()
})

test('a stop after a failed commit commits nothing more, and the next start redoes the work', async () => {
  await feedMore(40)
  const process: LedgerProcess = await start((step, call) => {
    if (step !== 'commit' || call !== 1) return undefined
    // Stopped in the very turn in which the failure shows.
    setImmediate(() => void process.app.stop().catch(() => undefined))
    return { when: 'before', code: 'UNKNOWN_OUTCOME' }
  })
  await process.app.ended.catch(() => undefined)
  expect(process.faulty.calls.commit).toBe(2)
  expect(process.faulty.violations).toEqual([])
  await start()
  await expectExact()
})

test('a stop while restoring, and while stable offsets are waited for, ends at once', async () => {
  await feedMore(40)
  await (await start()).app.stop()
  await feedMore(40)
  const first = await start()
  await consumed(cluster)
  await first.app.stop()

  const never = Promise.withResolvers<void>()
  const waiting = await start(once('committed', 0, { hold: never.promise }))
  await expect.poll(() => waiting.app.snapshot().state).toBe('restoring')
  await waiting.app.stop()
  expect(waiting.app.snapshot().state).toBe('stopped')
  never.resolve()

  // An open transaction of a dead owner at the end of a changelog: no restore ends before it does.
  const ghost = await writeOpenTransaction('ledger-chain-changelog')
  const restoring = await start(undefined, { at: 'elsewhere' })
  await expect.poll(() => restoring.app.snapshot().tasks.some((task) => task.restore.length > 0)).toBe(true)
  await restoring.app.stop()
  await ghost.close()
  await start()
  await expectExact()
})

/** More than a batch, so that it is in the log before any commit. */
async function writeOpenTransaction(topic: string) {
  const ghost = await cluster.transactionalProducer({ transactionalId: 'ghost' })
  const output = ghost.output(topic)
  for (let i = 0; i < 3; i++) {
    for (let partition = 0; partition < partitions; partition++) {
      output.append(partition, Buffer.from(`${partition}x`), Buffer.alloc(600_000, 'wrong'), 1, noHeaders)
    }
  }
  const [stable] = await cluster.offsets([{ topic, partition: 0 }], 'stable')
  const [end] = await cluster.offsets([{ topic, partition: 0 }], 'end')
  expect(end?.offset).toBeGreaterThan(stable?.offset as number)
  return ghost
}

test('a dead owner that left a transaction open in a changelog, a source and an output is waited out, and its records never count', async () => {
  await feedMore(40)
  await start()
  await consumed(cluster)
  for (const { app } of running) await app.stop()
  const ghost = await writeOpenTransaction('ledger-chain-changelog')
  for (const topic of ['events', 'chains', 'ledger-by-letter-repartition', 'ledger-letters-changelog']) {
    const output = ghost.output(topic)
    for (const { partition } of partitionsOf([topic])) {
      output.append(partition, Buffer.from(`${partition}x`), Buffer.alloc(600_000, 'wrong'), 1, noHeaders)
    }
  }
  const process = await start(undefined, { at: 'elsewhere' })
  await expect.poll(() => process.app.snapshot().tasks.some((task) => task.restore.length > 0)).toBe(true)
  await new Promise((resolve) => setTimeout(resolve, 30))
  expect(process.app.snapshot().tasks.some((task) => task.state === 'restoring')).toBe(true)
  await ghost.close()
  await feedMore(10)
  await expectExact()
})

test('idle commits move positions past markers, so that lag is 0 and group offsets are the ends of the logs', async () => {
  const { app, faulty } = await start()
  const producer = await cluster.transactionalProducer({ transactionalId: 'feeder' })
  const input: Event[] = [
    { partition: 0, key: 'x', value: 'a', timestamp: 1 },
    { partition: 1, key: 'x', value: 'b', timestamp: 1 },
  ]
  for (const { partition, key, value, timestamp } of input) {
    producer
      .output('events')
      .append(partition, Buffer.from(`${partition}${key}`), Buffer.from(value), timestamp, noHeaders)
  }
  await producer.commit(null)
  await producer.close()
  fed.push(...input)
  await consumed(cluster)
  const ends = await cluster.offsets(partitionsOf(['events']), 'end')
  expect(ends.map(({ offset }) => offset)).toEqual([2, 2])
  expect((await cluster.committed('ledger', ends)).map(({ offset }) => offset)).toEqual([2, 2])
  expect(app.snapshot().lag).toBe(0)
  // Asked of the broker, not the app's own count, which follows when the answer has come back.
  const count = faulty.calls.commit
  await new Promise((resolve) => setTimeout(resolve, 50))
  // Nothing to commit is not committed again and again.
  expect(faulty.calls.commit).toBe(count)
  await expectExact()
})

test('uncommitted bytes force a commit before its time', async () => {
  await feedMore(400)
  const { app } = await start(undefined, {
    commitIntervalMs: 400_000,
    transactionTimeoutMs: 900_000,
    maxUncommittedBytes: 1000,
  })
  await expect.poll(() => app.snapshot().commits.count).toBeGreaterThan(0)
  await app.stop()
  await start()
  await expectExact()
})

test('two processes share the tasks; one dies, and the other goes on where it stood', async () => {
  await feedMore(100)
  const one = await start()
  const two = await start(undefined, { at: 'two' })
  await expect.poll(() => one.app.snapshot().tasks.length).toBe(2)
  await expect.poll(() => two.app.snapshot().tasks.length).toBe(2)
  await feedMore(100)
  await one.crash()
  await feedMore(50)
  await expect.poll(() => two.app.snapshot().tasks.length).toBe(4)
  await expectExact()
})

test('a process whose place in the group another one takes ends with FENCED', async () => {
  await feedMore(10)
  const one = await start(undefined, { instanceId: 'same' })
  await consumed(cluster)
  await start(undefined, { instanceId: 'same', at: 'two' })
  await expect(one.app.ended).rejects.toMatchObject({ code: 'FENCED' })
  expect(one.app.snapshot().state).toBe('failed')
  await feedMore(10)
  await expectExact()
})

test('a repartition topic is read from its start, even by who starts at the latest records', async () => {
  await feedMore(40)
  // As left by a worker that died before the reader of the topic ever committed.
  await start()
  await consumed(cluster)
  for (const { app } of running) await app.stop()
  const left = await cluster.offsets(partitionsOf(['ledger-by-letter-repartition']), 'end')
  expect(left.some(({ offset }) => offset > 0)).toBe(true)
  const producer = await cluster.plainProducer()
  const name = 'other-by-letter-repartition'
  await cluster.createTopics([{ name, partitions, configs: {} }])
  producer.output(name).append(0, Buffer.from('q'), Buffer.from('q'), 1, noHeaders)
  await producer.flush()
  await producer.close()
  const { app } = await start(undefined, { appId: 'other', from: 'latest', at: 'other' })
  await app.caughtUp()
  await app.stop()
  expect((await read(cluster))['letters q']).toEqual(['1'])
})

test('stream time comes back with the position where the changelog no longer tells it', async () => {
  await feedMore(40)
  await start()
  await consumed(cluster)
  for (const { app } of running) await app.stop()
  // As the engine itself deletes rows of closed windows.
  const ends = await cluster.offsets(partitionsOf(['ledger-recent-changelog']), 'end')
  await cluster.deleteRecords(ends)
  const late = [0, 1].map((partition): Event => ({ partition, key: 'x', value: 'a', timestamp: 1 }))
  await feed(cluster, late)
  fed.push(...late)
  await start(undefined, { at: 'elsewhere' })
  await consumed(cluster)
  for (const { app } of running) await app.stop()
  expect(await read(cluster)).toEqual(model(fed))
})
