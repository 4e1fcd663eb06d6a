import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { connectKafka } from '../../src/broker/kafka/broker.ts'
import type { Broker } from '../../src/broker/port.ts'
import type { Headers } from '../../src/common/record.ts'
import { javaTools, runJavaTool } from '../../tools/kafka/java-tool.ts'
import { folder, program } from '../cli/process.ts'
import { readBytes, readHeaders } from './support/kcat.ts'
import { seeded } from './support/lines.ts'
import { type RunProcess, startRun } from './support/run-process.ts'
import { createTopic } from './support/topic.ts'

const bootstrap = inject('bootstrap')
const partitions = 4
const seed = Number(process.env.STREAMCTL_TEST_SEED ?? Date.now() % 1_000_000)

interface Written {
  readonly partition: number
  readonly offset: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly timestamp: number
  readonly headers: Headers
  readonly good: boolean
}

let app: string
let broker: Broker
let cwd: string
let running: RunProcess[]

beforeEach(async () => {
  app = `dead-${Date.now()}-${process.pid}`
  broker = await connectKafka({ bootstrap })
  running = []
  // A record takes 0.1 ms, so that a run is long enough to be interrupted.
  cwd = folder({
    'topology.ts': `
      import { defineTopology, int64, json, string, topic } from 'streamctl'
      const source = topic('${app}-in', { key: string, value: json<{ n: number }>() })
      const sums = topic('${app}-sums', { key: string, value: int64 })
      function spin() {
        const end = performance.now() + 0.1
        while (performance.now() < end);
      }
      export default defineTopology('${app}', (b) => {
        b.stream(source, { onDeserializationError: { deadLetter: '${app}-dead' } })
          .peek(spin)
          .groupByKey()
          .aggregate('sums', { init: () => 0n, add: (sum, { n }) => sum + BigInt(n), serde: int64 })
          .toStream()
          .to(sums)
      })`,
  })
  for (const [topic, count] of [
    ['in', partitions],
    ['sums', partitions],
    ['dead', 3],
  ] as const) {
    await createTopic(broker, `${app}-${topic}`, count)
  }
})

afterEach(async () => {
  for (const run of running) run.kill('SIGKILL')
  await Promise.all(running.map((run) => run.ended))
  await broker.close()
})

/** Good records, and bad ones of every kind: no JSON, no UTF-8, nothing at all, a key that is no text. */
function records(count: number, random: () => number): readonly Written[] {
  const ends = new Array<number>(partitions).fill(0)
  const bads = [Buffer.from('{"n":'), Buffer.from([0xff, 0, 0xfe, 10, 9]), Buffer.alloc(0), Buffer.from('\n')]
  return Array.from({ length: count }, (_, i): Written => {
    const partition = i % partitions
    const offset = ends[partition] as number
    ends[partition] = offset + 1
    const kind = Math.floor(random() * 120)
    const headers = [
      { key: 'trace', value: Buffer.from(`t${i}`) },
      { key: 'streamctl.dlq.task', value: Buffer.from('of an earlier dead letter') },
      { key: 'trace', value: null },
    ]
    const place = { partition, offset, timestamp: 1_700_000_000_000 + i, headers }
    // A key is on one partition only, so that its sums come in one order.
    const key = Buffer.from(`k${partition}.${i % 97}`)
    if (kind < 4) return { ...place, key, value: bads[kind] as Buffer, good: false }
    if (kind === 4) return { ...place, key: Buffer.from([0xc3, 0x28]), value: Buffer.from('{"n":1}'), good: false }
    if (kind === 5) return { ...place, key: null, value: Buffer.from(`[${i}`), good: false }
    return { ...place, key, value: Buffer.from(`{"n":${i}}`), good: true }
  })
}

async function write(all: readonly Written[]): Promise<void> {
  const producer = await broker.plainProducer()
  const output = producer.output(`${app}-in`)
  for (const { partition, key, value, timestamp, headers } of all)
    output.append(partition, key, value, timestamp, headers)
  await producer.flush()
  await producer.close()
}

async function committed(): Promise<number> {
  const inputs = Array.from({ length: partitions }, (_, partition) => ({ topic: `${app}-in`, partition }))
  return (await broker.committed(app, inputs)).reduce((sum, { offset }) => sum + offset, 0)
}

const hex = (bytes: Buffer | null): string | null => bytes?.toString('hex') ?? null

test(`kill -9 four times: each bad record is set aside once, bytes untouched (seed ${seed})`, async () => {
  const random = seeded(seed)
  const all = records(30_000, random)
  await write(all)
  const args = [join(cwd, 'topology.ts'), '--broker', bootstrap, '--state-dir', join(cwd, 'state')]
  const kills = 4
  for (let kill = 0; kill < kills; kill++) {
    const run = startRun(args)
    running.push(run)
    const before = await committed()
    const goal = before + Math.ceil(((all.length - before) * random()) / (kills - kill + 1))
    while ((await committed()) < goal) await setTimeout(20)
    await setTimeout(random() * 150)
    run.kill('SIGKILL')
    expect(await run.ended, run.log()).toBe('SIGKILL')
    expect(await committed(), `kill ${kill + 1} came too late to interrupt anything`).toBeLessThan(all.length)
  }
  const end = await program(['run', ...args, '--until', 'caught-up'], { cwd })
  expect([end.exit, end.stdout], end.stderr).toEqual([0, ''])

  const bad = all.filter(({ good }) => !good)
  const dead = await readBytes(bootstrap, `${app}-dead`)
  const headers = await readHeaders(bootstrap, `${app}-dead`)
  const found = dead.map(({ partition, offset, timestamp, key, value }) => {
    const of = new Map(headers.get(`${partition}@${offset}`))
    const from = of.get('__streams.errors.partition')
    expect(partition, 'the partition of a dead letter is that of its record').toBe(Number(from) % 3)
    const place = `${of.get('__streams.errors.topic')}-${from}@${of.get('__streams.errors.offset')}`
    return [place, hex(key), hex(value), timestamp]
  })
  const expected = bad.map(({ partition, offset, key, value, timestamp }) => [
    `${app}-in-${partition}@${offset}`,
    hex(key),
    hex(value),
    timestamp,
  ])
  expect(found.sort()).toEqual(expected.sort())

  for (const { partition, offset } of dead) {
    const list = headers.get(`${partition}@${offset}`) ?? []
    const of = new Map(list)
    const origin = bad.find(
      (record) =>
        String(record.partition) === of.get('__streams.errors.partition') &&
        String(record.offset) === of.get('__streams.errors.offset'),
    ) as Written
    expect(list.slice(0, 2)).toEqual([
      ['trace', String(origin.headers[0]?.value)],
      ['trace', null],
    ])
    expect(list.slice(2)).toEqual([
      ['__streams.errors.exception', 'StreamError'],
      ['__streams.errors.message', expect.stringMatching(/JSON|UTF-8/)],
      ['__streams.errors.stacktrace', expect.stringMatching(/^StreamError: .*\n {4}at /)],
      ['__streams.errors.topic', `${app}-in`],
      ['__streams.errors.partition', String(origin.partition)],
      ['__streams.errors.offset', String(origin.offset)],
      ['streamctl.dlq.app', app],
      ['streamctl.dlq.node', expect.stringContaining(`${app}-in`)],
      ['streamctl.dlq.task', `0_${origin.partition}`],
      ['streamctl.dlq.code', 'DESERIALIZATION'],
      ['streamctl.dlq.timestamp', String(origin.timestamp)],
    ])
  }

  const sums = new Map<string, bigint[]>()
  for (const { key, value } of all.filter(({ good }) => good)) {
    const name = String(key)
    const seen = sums.get(name) ?? []
    sums.set(name, seen)
    seen.push((seen.at(-1) ?? 0n) + BigInt((JSON.parse(String(value)) as { n: number }).n))
  }
  const read = new Map<string, bigint[]>()
  for (const { key, value } of await readBytes(bootstrap, `${app}-sums`)) {
    const seen = read.get(String(key)) ?? []
    read.set(String(key), seen)
    seen.push((value as Buffer).readBigInt64BE())
  }
  expect(read).toEqual(sums)
})

test('the Java consumer reads a dead letter with its headers', async () => {
  const [origin] = records(1, () => 0) as [Written]
  await write([origin])
  const run = await program(['run', 'topology.ts', '--broker', bootstrap, '--until', 'caught-up'], { cwd })
  expect(run.exit, run.stderr).toBe(0)
  expect(run.stderr).toMatch(/dead letters 1/)
  const { stdout } = await runJavaTool(javaTools.consoleConsumer, [
    ...['--bootstrap-server', bootstrap, '--topic', `${app}-dead`, '--from-beginning', '--timeout-ms', '10000'],
    ...['--isolation-level', 'read_committed', '--max-messages', '1'],
    ...['--property', 'print.headers=true', '--property', 'print.key=true', '--property', 'print.timestamp=true'],
  ])
  expect(stdout).toMatch(/^CreateTime:1700000000000\ttrace:t0,trace:null,__streams.errors.exception:StreamError,/)
  expect(stdout).toContain(`,__streams.errors.topic:${app}-in,__streams.errors.partition:0,__streams.errors.offset:0,`)
  expect(stdout).toMatch(/streamctl\.dlq\.timestamp:1700000000000\tk0\.0\t\{"n":\n/)
})
