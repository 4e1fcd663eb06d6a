import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { call, folder, jsonLines, refusesTwo, wordCount } from './process.ts'

const caughtUp = ['--until', 'caught-up', '--timeout', '15s']

/** The last count of each word. */
function counts(stdout: string): Record<string, unknown> {
  return Object.fromEntries(jsonLines(stdout).map(({ key, value }) => [key, value]))
}

test('run on files: results on stdout, everything else on stderr, nothing left on disk', async () => {
  const cwd = folder({ 'topology.ts': wordCount, 'in.txt': 'a b a\nb c\n' })
  const result = await call(['run', 'topology.ts', '--in', 'lines=in.txt', '--out', 'word-counts=-', ...caughtUp], {
    cwd,
  })
  expect(result.exit).toBe(0)
  expect(counts(result.stdout)).toEqual({ a: 2, b: 2, c: 1 })
  expect(jsonLines(result.stdout)).toHaveLength(5)
  expect(result.stderr).toContain('embedded, not Kafka (in memory')
  expect(result.stderr).toContain('caught up')
  expect(() => readFileSync(join(cwd, '.streamctl'))).toThrow('ENOENT')
})

test('several partitions give the same counts', async () => {
  const words = Array.from({ length: 2000 }, (_, i) => `w${i % 37} w${i % 11}`)
  const cwd = folder({ 'topology.ts': wordCount, 'in.txt': words.join('\n') })
  const args = [
    'run',
    'topology.ts',
    '--partitions',
    '4',
    '--in',
    'lines=in.txt',
    '--out',
    'word-counts=out.ndjson',
    ...caughtUp,
  ]
  expect(await call(args, { cwd })).toMatchObject({ exit: 0, stdout: '' })
  const expected: Record<string, number> = {}
  for (const word of words.join(' ').split(' ')) expected[word] = (expected[word] ?? 0) + 1
  expect(counts(readFileSync(join(cwd, 'out.ndjson'), 'utf8'))).toEqual(expected)
})

test('--topic-config is of the topics that a run creates: one that takes no record stops it', async () => {
  const cwd = folder({ 'topology.ts': wordCount })
  const run = ['run', 'topology.ts', '--broker', 'embedded:memory', '--in', 'lines=-', ...caughtUp]
  const small = [...run, '--topic-config', 'max.message.bytes=1', '--topic-config', 'min.insync.replicas=1']
  const result = await call(small, { cwd, stdin: 'a b\n' })
  expect(result.exit).not.toBe(0)
  expect(result.stderr).toMatch(
    /too large for topic word-count-(by-word-repartition|word-counts-changelog): it takes 1/,
  )
  expect(await call(run, { cwd, stdin: 'a b\n' })).toMatchObject({ exit: 0 })
})

test('on disk: produce, lag, run, lag, consume; a second run goes on where the first ended', async () => {
  const cwd = folder({ 'topology.ts': wordCount })
  const produced = await call(['produce', 'lines', '--partitions', '2', '--json'], { cwd, stdin: 'a b\nb\n' })
  expect(JSON.parse(produced.stdout)).toMatchObject({ kind: 'produced', data: { topic: 'lines', records: 2 } })
  expect(produced.stderr).toContain('lines: 2 records written')

  const lagging = await call(['lag', 'topology.ts', '--fail-over', '1', '--json'], { cwd })
  expect(lagging.exit).toBe(5)
  expect(JSON.parse(lagging.stdout)).toMatchObject({ v: 1, kind: 'lag', data: { group: 'word-count', total: 2 } })

  for (const [words, expected] of [
    ['', { a: 1, b: 2 }],
    ['a c\n', { a: 2, c: 1 }],
  ] as const) {
    if (words !== '') await call(['produce', 'lines'], { cwd, stdin: words })
    const result = await call(['run', 'topology.ts', '--out', 'word-counts=-', ...caughtUp], { cwd })
    expect(result.exit).toBe(0)
    expect(counts(result.stdout)).toEqual(expected)
  }

  for (const subject of ['topology.ts', 'word-count']) {
    const lag = await call(['lag', subject, '--fail-over', '0', '--json'], { cwd })
    expect(lag.exit).toBe(0)
    const { data } = JSON.parse(lag.stdout) as { data: { total: number; partitions: { topic: string }[] } }
    expect(data.total).toBe(0)
    expect(data.partitions.map(({ topic }) => topic)).toContain('lines')
  }

  const consumed = await call(['consume', 'word-counts', '--value', 'int64', '--until', 'caught-up'], { cwd })
  expect(jsonLines(consumed.stdout)).toHaveLength(5)
  expect(jsonLines(consumed.stdout)[0]).toMatchObject({ topic: 'word-counts', partition: 0, offset: '0', headers: {} })
  const one = await call(['consume', 'word-counts', '--topology', 'topology.ts', '-n', '1'], { cwd })
  expect(jsonLines(one.stdout)).toHaveLength(1)
  const guessed = await call(['consume', 'word-counts', '-n', '1', '--from', '1'], { cwd })
  expect(jsonLines(guessed.stdout)).toMatchObject([
    { offset: '1', value: '\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0001' },
  ])
})

test('--app-id starts an application of its own', async () => {
  const cwd = folder({ 'topology.ts': wordCount })
  await call(['produce', 'lines'], { cwd, stdin: 'a\n' })
  for (const app of ['first', 'second']) {
    const result = await call(['run', 'topology.ts', '--app-id', app, '--out', 'word-counts=-', ...caughtUp], { cwd })
    expect(counts(result.stdout)).toEqual({ a: 1 })
  }
  expect((await call(['lag', 'second', '--json'], { cwd })).stdout).toContain('"total":0')
})

test('an empty topic is caught up at once, and said', async () => {
  const cwd = folder({ 'topology.ts': wordCount })
  const result = await call(['run', 'topology.ts', ...caughtUp, '--broker', 'embedded:memory'], { cwd })
  expect(result.exit).toBe(0)
  expect(result.stderr).toContain('the topic lines is empty')
})

test('stdin is fed as it comes, and a signal ends with what was committed', async () => {
  const cwd = folder({ 'topology.ts': wordCount })
  const stdin = new PassThrough()
  stdin.write('a b\n')
  const result = await call(['run', 'topology.ts', '--in', 'lines=-', '--out', 'word-counts=-', '--no-tui'], {
    cwd,
    stdin,
    onStdout: (text, signal) => {
      if (jsonLines(text).length === 2) signal()
    },
  })
  stdin.end()
  expect(result.exit).toBe(0)
  expect(counts(result.stdout)).toEqual({ a: 1, b: 1 })
  expect(result.stderr).toContain('stopping')
})

test('the second signal ends with 130', async () => {
  const cwd = folder({ 'topology.ts': wordCount })
  const result = await call(['run', 'topology.ts', '--broker', 'embedded:memory'], {
    cwd,
    onReady: (signal) => {
      signal()
      signal()
    },
  })
  expect(result.exit).toBe(130)
})

// The first is over before the application has started, the second while it runs and its input is open.
test.each([
  ['300ms', '0.3 s'],
  ['3s', '3 s'],
])('--timeout %s passes with exit 6', async (timeout, told) => {
  const cwd = folder({ 'topology.ts': wordCount })
  const stdin = new PassThrough()
  const args = ['run', 'topology.ts', '--in', 'lines=-', '--until', 'caught-up', '--timeout', timeout]
  const result = await call(args, { cwd, stdin })
  stdin.end()
  expect(result.exit).toBe(6)
  expect(result.stderr).toContain(`not caught up after ${told}`)
})

test('--json: events on stdout from start to stop', async () => {
  const cwd = folder({ 'topology.ts': wordCount, 'in.txt': 'a b a\n' })
  const result = await call(['run', 'topology.ts', '--json', '--in', 'lines=in.txt', ...caughtUp], { cwd })
  const events = jsonLines(result.stdout)
  expect(events.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['started', 'fed', 'caught-up', 'stopped']))
  expect(events.at(0)).toMatchObject({ v: 1, kind: 'started', app: 'word-count' })
  expect(events.at(-1)).toMatchObject({ kind: 'stopped', exit: 0, totals: { in: 1, out: 3, lag: 0 } })
})

test('try: emission order, a virtual clock, headers, tombstones', async () => {
  const cwd = folder({ 'topology.ts': wordCount })
  const stdin = [
    '{"topic":"lines","key":null,"value":"b a b","timestamp":7,"headers":{"h":"x"}}',
    '{"advanceWallClockMs":1000}',
    '{"topic":"lines","value":"a"}',
  ].join('\n')
  const result = await call(['try', 'topology.ts'], { cwd, stdin })
  expect(result).toMatchObject({ exit: 0, stderr: '' })
  expect(jsonLines(result.stdout)).toMatchObject([
    { topic: 'word-counts', key: 'b', value: 1, timestamp: 7 },
    { topic: 'word-counts', key: 'a', value: 1, timestamp: 7 },
    { topic: 'word-counts', key: 'b', value: 2, timestamp: 7 },
    { topic: 'word-counts', key: 'a', value: 2, timestamp: 1000 },
  ])
})

test('try shows what came out before a failure', async () => {
  const cwd = folder({ 'topology.ts': refusesTwo })
  const stdin = [1, 2, 3].map((value) => JSON.stringify({ topic: 'numbers', value })).join('\n')
  const result = await call(['try', 'topology.ts'], { cwd, stdin })
  expect(result.exit).toBe(7)
  expect(jsonLines(result.stdout)).toMatchObject([{ topic: 'passed', value: 1 }])
  expect(result.stderr).toMatch(/line 2 of stdin.*two is/)
})

test.each(['text', 'mermaid', 'dot'])('graph as %s', async (format) => {
  const cwd = folder({ 'topology.ts': wordCount })
  const result = await call(['graph', 'topology.ts', '--format', format], { cwd })
  expect(result).toMatchObject({ exit: 0, stderr: '' })
  expect(result.stdout).toContain('word-counts')
})

test('graph --json is one document', async () => {
  const cwd = folder({ 'topology.ts': wordCount })
  const result = await call(['graph', 'topology.ts', '--json', '--app-id', 'other'], { cwd })
  expect(JSON.parse(result.stdout)).toMatchObject({
    v: 1,
    kind: 'graph',
    app: 'other',
    data: { subTopologies: [{ id: 0 }, { id: 1 }] },
  })
})

test('help and version go to stdout with 0, bare streamctl too', async () => {
  const cwd = folder()
  for (const args of [[], ['--help'], ['run', '--help'], ['--version']]) {
    const result = await call(args, { cwd })
    expect(result).toMatchObject({ exit: 0, stderr: '' })
    expect(result.stdout).not.toBe('')
  }
})

test('a reader that leaves ends the program with 0 and without a word', async () => {
  const cwd = folder({ 'topology.ts': wordCount, 'in.txt': 'a b c d\n'.repeat(20_000) })
  const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
  const args = [main, 'run', 'topology.ts', '--in', 'lines=in.txt', '--out', 'word-counts=-', '--no-tui']
  const child = spawn(process.execPath, args, {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH ?? '' },
  })
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  child.stdout.once('data', () => child.stdout.destroy())
  const exit = await new Promise((resolve) => child.on('close', resolve))
  expect(stderr).not.toMatch(/EPIPE|^\s+at /m)
  expect(exit).toBe(0)
})
