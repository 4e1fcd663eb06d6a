import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { connectKafka } from '../../src/broker/kafka/broker.ts'
import type { Broker } from '../../src/broker/port.ts'
import { noHeaders } from '../../src/common/record.ts'
import { javaTools, runJavaTool } from '../../tools/kafka/java-tool.ts'
import { folder, program } from '../cli/process.ts'
import { readBytes } from './support/kcat.ts'
import { expectParagraph } from './support/paragraph.ts'
import { endsWith, type RunProcess, startRun } from './support/run-process.ts'
import { createTopic } from './support/topic.ts'

const bootstrap = inject('bootstrap')

let app: string
let broker: Broker
let cwd: string
let running: RunProcess | undefined

beforeEach(async () => {
  app = `bad-${Date.now()}-${process.pid}`
  broker = await connectKafka({ bootstrap })
  cwd = folder({
    'numbers.ts': numbers(''),
    'lenient.ts': numbers(`, { onDeserializationError: { deadLetter: '${app}-dead' } }`),
    'joined.ts': `
      import { defineTopology, string, topic } from 'streamctl'
      const left = topic('${app}-left', { key: string, value: string })
      const right = topic('${app}-right', { key: string, value: string })
      const both = topic('${app}-both', { key: string, value: string })
      export default defineTopology('${app}', (b) => {
        b.stream(left).join(b.table(right, { store: 'rights' }), (l, r) => l + r).to(both)
      })`,
    'twice.ts': `
      import { defineTopology, string, topic } from 'streamctl'
      const left = topic('${app}-left', { key: string, value: string })
      const right = topic('${app}-right', { key: string, value: string })
      export default defineTopology('${app}', (b) => {
        b.table(left, { store: 'names' })
        b.table(right, { store: 'names' })
      })`,
    'syntax.ts': 'const a: number = 1\nconst b = = 2\nexport default a\n',
    'nothing.ts': 'export const a = 1\n',
  })
  running = undefined
})

afterEach(async () => {
  running?.kill('SIGKILL')
  await running?.ended
  await broker.close()
})

function numbers(policy: string): string {
  return `
    import { defineTopology, json, string, topic } from 'streamctl'
    const numbers = topic('${app}-numbers', { key: string, value: json<{ n: number }>() })
    const doubled = topic('${app}-doubled', { key: string, value: json<{ n: number }>() })
    export default defineTopology('${app}', (b) => {
      b.stream(numbers${policy}).mapValues(({ n }) => ({ n: 2 * n })).to(doubled)
    })`
}

const run = (file: string, ...more: string[]) =>
  program(['run', file, '--broker', bootstrap, '--until', 'caught-up', ...more], { cwd })

async function write(topic: string, values: readonly (readonly [partition: number, value: string])[]): Promise<void> {
  const producer = await broker.plainProducer()
  const output = producer.output(topic)
  for (const [partition, value] of values) output.append(partition, null, Buffer.from(value), 1, noHeaders)
  await producer.flush()
  await producer.close()
}

async function doubled(): Promise<number[]> {
  const records = await readBytes(bootstrap, `${app}-doubled`)
  return records.map(({ value }) => (JSON.parse(String(value)) as { n: number }).n).sort((a, b) => a - b)
}

test('no broker at the address', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  const since = performance.now()
  const result = await program(['run', 'numbers.ts', '--broker', `127.0.0.1:${port}`], { cwd })
  expect(performance.now() - since).toBeLessThan(15_000)
  expectParagraph(result, 4, `127.0.0.1:${port}`, /Check the address/)
})

test('a port where something else listens and says nothing', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const { port } = server.address() as { port: number }
    const since = performance.now()
    const result = await program(['lag', app, '--broker', `127.0.0.1:${port}`], { cwd })
    expect(performance.now() - since).toBeLessThan(15_000)
    expectParagraph(result, 4, `127.0.0.1:${port}`, /Check the address/)
  } finally {
    server.close()
  }
})

test('a host that has no address', async () => {
  const result = await program(['run', 'numbers.ts', '--broker', 'no-such-host.invalid:9092'], { cwd })
  expectParagraph(result, 4, 'no-such-host.invalid:9092', /Check/)
})

test('topics that do not exist', async () => {
  await createTopic(broker, `${app}-doubled`, 1)
  expectParagraph(
    await run('numbers.ts'),
    3,
    `topic "${app}-numbers" does not exist`,
    `--create --topic ${app}-numbers`,
  )
  await createTopic(broker, `${app}-numbers`, 1)
  expectParagraph(await run('lenient.ts'), 3, `topic "${app}-dead" does not exist`)
  const consumed = await program(['consume', `${app}-nope`, '--broker', bootstrap], { cwd })
  expectParagraph(consumed, 3, `topic "${app}-nope" does not exist`)
})

test('a join of topics with different partition counts', async () => {
  await createTopic(broker, `${app}-left`, 3)
  await createTopic(broker, `${app}-right`, 4)
  await createTopic(broker, `${app}-both`, 1)
  const found = [`topic ${app}-left has 3`, `topic ${app}-right has 4`, /joined\.ts:7/, '.repartition\\(']
  expectParagraph(await run('joined.ts'), 3, ...found)
})

test('a source whose partitions were added to since the state was built', async () => {
  await createTopic(broker, `${app}-left`, 2)
  await createTopic(broker, `${app}-right`, 2)
  await createTopic(broker, `${app}-both`, 1)
  expect((await run('joined.ts')).exit).toBe(0)
  for (const side of ['left', 'right']) {
    const alter = ['--alter', '--topic', `${app}-${side}`, '--partitions', '3']
    await runJavaTool(javaTools.topics, ['--bootstrap-server', bootstrap, ...alter])
  }
  expectParagraph(await run('joined.ts'), 3, `${app}-rights-changelog has 2 partitions and needs 3`, 'another --app-id')
})

test.each([
  ['duplicate names', 'twice.ts', 3, [/names.*twice/, /twice\.ts:7/]],
  ['a syntax error', 'syntax.ts', 3, [/does not parse/, /syntax\.ts:2:11/]],
  ['no default export', 'nothing.ts', 3, [/nothing\.ts has no default export/, /export default defineTopology/]],
  ['a missing file', 'gone.ts', 3, [/there is no file gone\.ts/]],
] as const)('%s', async (_what, file, exit, parts) => {
  expectParagraph(await run(file), exit, ...parts)
})

test('an unknown flag', async () => {
  expectParagraph(
    await run('numbers.ts', '--comit-interval', '1s'),
    2,
    /unknown option '--comit-interval'.*--commit-interval/,
  )
})

test('a record that is no JSON stops the run, again and again, until it may be set aside', async () => {
  await createTopic(broker, `${app}-numbers`, 4)
  await createTopic(broker, `${app}-doubled`, 4)
  await createTopic(broker, `${app}-dead`, 2)
  const good = (from: number, to: number, partition: number) =>
    Array.from({ length: to - from }, (_, i) => [partition, `{"n":${from + i}}`] as const)
  const bad = '{"n":7'
  await write(`${app}-numbers`, [
    ...good(0, 50, 0),
    ...good(100, 107, 2),
    [2, bad],
    ...good(107, 150, 2),
    ...good(150, 160, 3),
  ])
  for (let attempt = 1; attempt <= 2; attempt++) {
    const paragraph = expectParagraph(
      await run('numbers.ts'),
      7,
      `${app}-numbers-2 at offset 7`,
      /JSON/,
      /numbers\.ts:6/,
    )
    expect(paragraph).toMatch(/dead-letter topic/)
    const [position] = await broker.committed(app, [{ topic: `${app}-numbers`, partition: 2 }])
    expect(position?.offset ?? 0).toBeLessThanOrEqual(7)
    expect((await doubled()).filter((n) => n >= 2 * 107 && n < 2 * 150)).toEqual([])
  }
  const json = await run('numbers.ts', '--json')
  expect(JSON.parse(json.stderr.trimEnd().split('\n').at(-1) as string)).toMatchObject({
    kind: 'error',
    code: 'DESERIALIZATION',
    exit: 7,
    where: { topic: `${app}-numbers`, partition: 2, offset: '7' },
  })
  expect(json.stderr).not.toMatch(/^\s+at /m)

  const lenient = await run('lenient.ts')
  expect([lenient.exit, lenient.stdout]).toEqual([0, ''])
  const all = [...good(0, 50, 0), ...good(100, 150, 2), ...good(150, 160, 3)]
  expect(await doubled()).toEqual(all.map(([, value]) => 2 * (JSON.parse(value) as { n: number }).n))
  expect((await readBytes(bootstrap, `${app}-dead`)).map(({ value }) => String(value))).toEqual([bad])
  const [position] = await broker.committed(app, [{ topic: `${app}-numbers`, partition: 2 }])
  expect(position?.offset).toBe(51)
})

test('a position that retention has overtaken is refused; the words that say how to go on are right', async () => {
  await createTopic(broker, `${app}-numbers`, 1)
  await createTopic(broker, `${app}-doubled`, 1)
  const values = (from: number) => Array.from({ length: 10 }, (_, i) => [0, `{"n":${from + i}}`] as const)
  await write(`${app}-numbers`, values(0))
  expect((await run('numbers.ts')).exit).toBe(0)
  await write(`${app}-numbers`, values(10))
  await broker.deleteRecords([{ topic: `${app}-numbers`, partition: 0, offset: 15 }])
  const found = [`offset 10 of ${app}-numbers-0 does not exist`, 'starts at 15 and ends at 20', '--reset-offsets']
  const paragraph = expectParagraph(await run('numbers.ts'), 7, ...found)
  expect(await doubled()).toHaveLength(10)

  const [, flags = ''] = /kafka-consumer-groups\.sh ([^:]*--execute)/.exec(paragraph) ?? []
  const reset = flags.replace('<broker>', bootstrap).replace('<app-id>', app).split(' ')
  await runJavaTool(javaTools.consumerGroups, reset)
  expect((await run('numbers.ts')).exit).toBe(0)
  expect(await doubled()).toEqual([...Array.from({ length: 10 }, (_, n) => 2 * n), 30, 32, 34, 36, 38])
})

test('two runs on one state directory', async () => {
  await createTopic(broker, `${app}-numbers`, 2)
  await createTopic(broker, `${app}-doubled`, 2)
  const state = ['--state-dir', join(cwd, 'state')]
  running = startRun([join(cwd, 'numbers.ts'), '--broker', bootstrap, ...state])
  await running.said(/generation \d+: 2 tasks/)
  const second = await run('numbers.ts', ...state)
  expectParagraph(second, 8, `process ${running.pid} on host`, /another state directory/)
  running.kill('SIGTERM')
  await endsWith(running, 0)
  expect((await run('numbers.ts', ...state)).exit).toBe(0)
})
