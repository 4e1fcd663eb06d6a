import { join } from 'node:path'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { connectKafka } from '../../src/broker/kafka/broker.ts'
import type { Broker } from '../../src/broker/port.ts'
import { javaTools, runJavaTool } from '../../tools/kafka/java-tool.ts'
import { folder, program } from '../cli/process.ts'
import { endsWith, type RunProcess, startRun } from './support/run-process.ts'
import { createTopic, readCounts } from './support/topic.ts'

const bootstrap = inject('bootstrap')
const server = ['--bootstrap-server', bootstrap]
const partitions = 4

let app: string
let broker: Broker
let cwd: string
let running: RunProcess | undefined

beforeEach(async () => {
  app = `tools-${Date.now()}-${process.pid}`
  broker = await connectKafka({ bootstrap })
  cwd = folder({
    'topology.ts': `
      import { defineTopology, int64, string, topic } from 'streamctl'
      const lines = topic('${app}-lines', { key: string, value: string })
      const counts = topic('${app}-counts', { key: string, value: int64 })
      export default defineTopology('${app}', (b) => {
        b.stream(lines)
          .flatMapValues((line) => line.split(' '))
          .groupBy('by-word', (word) => word, { key: string, value: string })
          .count('totals')
          .toStream()
          .to(counts)
      })`,
  })
  await createTopic(broker, `${app}-lines`, partitions)
  await createTopic(broker, `${app}-counts`, partitions)
  running = undefined
})

afterEach(async () => {
  running?.kill('SIGKILL')
  await running?.ended
  await broker.close()
})

const run = () => program(['run', 'topology.ts', '--broker', bootstrap, '--until', 'caught-up'], { cwd })

function produce(keyed: readonly string[]): Promise<unknown> {
  const properties = ['--property', 'parse.key=true', '--property', 'key.separator=|']
  return runJavaTool(
    javaTools.consoleProducer,
    [...server, '--topic', `${app}-lines`, '--compression-codec', 'zstd', ...properties],
    `${keyed.join('\n')}\n`,
  )
}

/** Rows of a tool's table by the names in its head; columns are wider than their words. */
function rows(stdout: string): readonly Readonly<Record<string, string>>[] {
  const lines = stdout.split('\n').filter((line) => line.trim() !== '')
  const head = lines.findIndex((line) => /^(GROUP|TransactionalId)\s/.test(line))
  const names = (lines[head] ?? '').trim().split(/\s+/)
  return lines.slice(head + 1).map((line) => {
    const cells = line.trim().split(/\s+/)
    return Object.fromEntries(names.map((name, i) => [name, cells[i] ?? '']))
  })
}

const describeGroup = async (...more: string[]) =>
  (await runJavaTool(javaTools.consumerGroups, [...server, '--describe', '--group', app, ...more])).stdout

/** Our transactional ids and their states, as the coordinator lists them. */
async function transactions(): Promise<readonly Readonly<Record<string, string>>[]> {
  const { stdout } = await runJavaTool(javaTools.transactions, [...server, 'list'])
  return rows(stdout).filter((row) => row.TransactionalId?.startsWith(`${app}-`))
}

/** Ends of the app's partitions by topic-partition; `committed` readers stop at the last stable offset. */
async function ends(isolation: 'committed' | 'uncommitted'): Promise<ReadonlyMap<string, number>> {
  const topics = ['lines', 'counts', 'by-word-repartition', 'totals-changelog'].map((name) => ({
    topic: `${app}-${name}`,
  }))
  const all = topics.flatMap(({ topic }) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic, partition })),
  )
  if (isolation === 'committed') {
    const stable = await broker.offsets(all, 'stable')
    return new Map(stable.map(({ topic, partition, offset }) => [`${topic}:${partition}`, offset]))
  }
  const { stdout } = await runJavaTool(javaTools.getOffsets, [
    ...server,
    '--topic-partitions',
    all.map(({ topic, partition }) => `${topic}:${partition}`).join(','),
  ])
  return new Map(
    stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => [line.slice(0, line.lastIndexOf(':')), Number(line.slice(line.lastIndexOf(':') + 1))]),
  )
}

test('what a Java producer writes is counted, and Java tools see a group at rest', async () => {
  const lines = Array.from({ length: 400 }, (_, i) => `k${i}|alpha beta${i % 3} größe`)
  await produce(lines)
  expect(await run()).toMatchObject({ exit: 0, stdout: '' })

  const counts = await readCounts(bootstrap, `${app}-counts`)
  expect([...counts].map(([word, seen]) => [word, seen.length, seen.at(-1)]).sort()).toEqual([
    ['alpha', 400, 400],
    ['beta0', 134, 134],
    ['beta1', 133, 133],
    ['beta2', 133, 133],
    ['größe', 400, 400],
  ])

  const logEnds = await ends('uncommitted')
  const group = rows(await describeGroup())
  const inputs = ['lines', 'by-word-repartition'].map((name) => `${app}-${name}`)
  expect(group.map(({ TOPIC, PARTITION }) => `${TOPIC}:${PARTITION}`).sort()).toEqual(
    [...logEnds.keys()].filter((name) => inputs.includes(name.slice(0, name.lastIndexOf(':')))).sort(),
  )
  for (const row of group) {
    expect(row).toMatchObject({ GROUP: app, LAG: '0', 'CONSUMER-ID': '-' })
    // Repartition topics end in a commit marker: the position is past it, else the lag would never be 0.
    expect([row['CURRENT-OFFSET'], row['LOG-END-OFFSET']]).toEqual(
      Array(2).fill(String(logEnds.get(`${row.TOPIC}:${row.PARTITION}`))),
    )
  }
  expect(await ends('committed')).toEqual(logEnds)
  expect(await describeGroup('--state')).toMatch(/Empty\s+0/)
  expect((await transactions()).map((row) => row.TransactionState)).toEqual(['CompleteCommit'])
})

test('members of a running app by name; nothing is left of them after SIGTERM', async () => {
  running = startRun([join(cwd, 'topology.ts'), '--broker', bootstrap, '--state-dir', join(cwd, 'state')])
  await running.said(/generation \d+: 8 tasks/)
  await produce(Array.from({ length: 50 }, (_, i) => `k${i}|a b`))
  while (!rows(await describeGroup()).some((row) => row.TOPIC?.endsWith('-lines')));

  const [member] = rows(await describeGroup('--members'))
  expect(member).toMatchObject({ GROUP: app, '#PARTITIONS': '8' })
  expect(member?.['CONSUMER-ID']).toMatch(/streamctl|\w+-\w+/)
  const assigned = rows(await describeGroup())
  expect(new Set(assigned.map((row) => row['CONSUMER-ID']))).toEqual(new Set([member?.['CONSUMER-ID']]))
  expect(await describeGroup('--state')).toMatch(/Stable\s+1/)

  running.kill('SIGTERM')
  await endsWith(running, 0)
  expect(await describeGroup('--state')).toMatch(/Empty\s+0/)
  expect((await transactions()).map((row) => row.TransactionState)).not.toContain('Ongoing')
  expect(await ends('committed')).toEqual(await ends('uncommitted'))
  const lag = await program(['lag', 'topology.ts', '--broker', bootstrap, '--fail-over', '0'], { cwd })
  expect(lag.exit, lag.stderr).toBe(0)
})

test('without input, at the end of a run after nothing, the group is still at its ends', async () => {
  expect(await run()).toMatchObject({ exit: 0, stdout: '' })
  await produce(['k|one'])
  expect(await run()).toMatchObject({ exit: 0, stdout: '' })
  expect(await run()).toMatchObject({ exit: 0, stdout: '' })
  expect(rows(await describeGroup()).map((row) => row.LAG)).toEqual(Array(8).fill('0'))
  expect(await readCounts(bootstrap, `${app}-counts`)).toEqual(new Map([['one', [1]]]))
})
