import { join } from 'node:path'
import { expect, test } from 'vitest'
import { call, folder, program, type Result, refusesTwo, wordCount } from './process.ts'

/** One paragraph on stderr, nothing on stdout, no stack. */
function expectParagraph(result: Result, exit: number, ...parts: readonly (string | RegExp)[]): void {
  const paragraph = result.stderr.trimEnd().split('\n').at(-1) ?? ''
  expect(paragraph).toMatch(/^streamctl: /)
  for (const part of parts) expect(paragraph).toMatch(part)
  expect(result.stderr).not.toMatch(/^\s+at /m)
  expect(result.stderr).not.toContain('\u001b')
  expect(result.stdout).toBe('')
  expect(result.exit).toBe(exit)
}

const topologies: readonly [name: string, files: Record<string, string>, parts: readonly (string | RegExp)[]][] = [
  ['a missing file', {}, ['there is no file topology.ts', 'Check the path']],
  [
    'no default export',
    { 'topology.ts': 'export const a = 1' },
    ['topology.ts has no default export', 'export default defineTopology'],
  ],
  ['a default export that is no topology', { 'topology.ts': 'export default 5' }, ['type number, not a topology']],
  [
    'a file that throws',
    { 'topology.ts': 'const a: number = 1\nthrow new Error("boom")\nexport default a' },
    ['boom', 'topology.ts:2:7'],
  ],
  [
    'a TypeScript syntax error',
    { 'topology.ts': 'const a: number = 1\nconst b = = 2\nexport default a' },
    ['does not parse', 'topology.ts:2:11'],
  ],
  [
    'a missing import',
    { 'topology.ts': 'import { a } from "./nope.ts"\nexport default a' },
    ['imports what is not there', 'nope.ts'],
  ],
  [
    'a missing export of an import',
    { 'topology.ts': 'import { a } from "./b.ts"\nexport default a', 'b.ts': 'export const c = 1' },
    ["does not provide an export named 'a'", 'topology.ts:1'],
  ],
  [
    'duplicate names',
    {
      'topology.ts': wordCount.replace(
        '.toStream()',
        ".toStream()\n    .groupByKey()\n    .count('word-counts')\n    .toStream()",
      ),
    },
    ['word-counts', 'twice: at topology.ts:9 and at topology.ts:12\\. '],
  ],
  [
    'duplicate names on one line',
    {
      'topology.ts': wordCount.replace(
        "    .count('word-counts')\n",
        "    .count('word-counts').toStream().groupByKey().count('word-counts')\n",
      ),
    },
    ['twice: both at topology.ts:9\\. '],
  ],
  [
    'an illegal topic name',
    { 'topology.ts': wordCount.replace("topic('lines'", "topic('li nes'") },
    ['"li nes" is not a topic name', 'topology.ts:3'],
  ],
]

test.each(topologies)('%s', async (_name, files, parts) => {
  const result = await program(['graph', 'topology.ts'], { cwd: folder(files) })
  expectParagraph(result, 3, ...parts.map((part) => (typeof part === 'string' ? new RegExp(part) : part)))
})

test('a directory instead of a file', async () => {
  expectParagraph(await program(['graph', '.'], { cwd: folder() }), 3, 'is not a file')
})

test('JavaScript that does not parse is located too', async () => {
  const cwd = folder({ 'topology.mjs': 'const a = 1\nconst = 2\n' })
  expectParagraph(await program(['graph', 'topology.mjs'], { cwd }), 3, 'does not parse', 'topology.mjs:2:7')
})

test.each([
  [['run', 'topology.ts', '--brokr', 'x'], "unknown option '--brokr'. Did you mean --broker\\?"],
  [['rnu'], "unknown command 'rnu'. Did you mean run\\?"],
  [['graph'], "missing required argument 'topology'"],
  [['run', 'topology.ts', '--timeout', '10'], "argument '10' is invalid. Give a number with its unit"],
  [['run', 'topology.ts', '--state-cleanup-delay', '600'], "argument '600' is invalid. Give a number with its unit"],
  [['run', 'topology.ts', '--state-cleanup-delay', '0s'], 'Give a duration from 1ms to 24d'],
  [['run', 'topology.ts', '--partitions', '1.5'], 'Give a whole number from 1 to 1000'],
  [['run', 'topology.ts', '--app-id', '../x'], "argument '../x' is invalid"],
  [['run', 'topology.ts', '--app-id', 'a', '--app-id', 'b'], 'It is given twice'],
  [['run', 'topology.ts', '--broker', 'host'], '"host" is not a broker address'],
  [['run', 'topology.ts', '--broker', 'host:99999'], '"host:99999" is not a broker address'],
  [['run', 'topology.ts', '--in', 'lines'], 'Give topic=file'],
  [['run', 'topology.ts', '--in', 'lines=nope.txt'], 'nope.txt: no such file'],
  [['run', 'topology.ts', '--in', 'other=-'], 'does not read the topic "other". It reads lines'],
  [['run', 'topology.ts', '--topic-config', 'min.insync.replicas'], 'Give name=value'],
  [['run', 'topology.ts', '--topic-config', 'Replicas=2'], '"Replicas" is no name of a topic config'],
  ...['cleanup.policy=delete', 'retention.ms=1', 'retention.bytes=1', 'message.timestamp.type=LogAppendTime'].map(
    (config): [string[], string] => [
      ['run', 'topology.ts', '--topic-config', config],
      `Topic config ${config.split('=')[0]} is not yours to set: .*Leave it out`,
    ],
  ),
  [
    ['run', 'topology.ts', ...['1', '2'].flatMap((n) => ['--topic-config', `min.insync.replicas=${n}`])],
    '--topic-config gives min.insync.replicas twice',
  ],
  [['run', 'topology.ts', '--timeout', '10s'], 'Add --until caught-up'],
])('usage: %j', async (args, part) => {
  expectParagraph(await call(args, { cwd: folder({ 'topology.ts': wordCount }) }), 2, new RegExp(part))
})

test('two uses of stdout', async () => {
  const cwd = folder({ 'topology.ts': wordCount })
  const result = await call(['run', 'topology.ts', '--json', '--out', 'word-counts=-'], { cwd })
  expect(JSON.parse(result.stderr)).toMatchObject({
    code: 'USAGE',
    exit: 2,
    message: '--json and --out topic=- both write to stdout',
  })
  expect(result.stdout).toBe('')
})

test('the embedded broker is not taken silently in production', async () => {
  const cwd = folder({ 'topology.ts': wordCount })
  const env = { NODE_ENV: 'production' }
  expectParagraph(await program(['run', 'topology.ts'], { cwd, env }), 2, 'NODE_ENV=production', '--broker')
})

test('a broker that does not answer', async () => {
  const cwd = folder({ 'topology.ts': wordCount })
  const result = await program(['run', 'topology.ts', '--broker', '127.0.0.1:1'], { cwd })
  expectParagraph(result, 4, '127.0.0.1:1', 'Check the address')
})

test('a topic that is not there', async () => {
  const cwd = folder()
  const result = await program(['consume', 'nope', '--broker', 'embedded:memory'], { cwd })
  expectParagraph(result, 3, 'topic "nope" does not exist', 'streamctl produce nope')
})

test('a join of topics with different partition counts', async () => {
  const join = `
import { defineTopology, string, topic } from 'streamctl'
const orders = topic('orders', { key: string, value: string })
const customers = topic('customers', { key: string, value: string })
const joined = topic('joined', { key: string, value: string })
export default defineTopology('joins', (b) => {
  const table = b.table(customers, { store: 'customers' })
  b.stream(orders).join(table, (order, customer) => order + customer).to(joined)
})
`
  const cwd = folder({ 'topology.ts': join })
  await program(['produce', 'orders', '--partitions', '2'], { cwd, stdin: 'a\n' })
  await program(['produce', 'customers', '--partitions', '3'], { cwd, stdin: 'a\n' })
  const result = await program(['run', 'topology.ts', '--until', 'caught-up'], { cwd })
  expectParagraph(result, 3, 'orders', 'customers', '2', '3')
})

test('a record that is no JSON stops before anything is written', async () => {
  const cwd = folder({ 'topology.ts': refusesTwo, 'in.ndjson': '{"value":1}\nnope\n' })
  const result = await program(
    ['run', 'topology.ts', '--in', 'numbers=in.ndjson', '--out', 'passed=-', '--until', 'caught-up'],
    { cwd },
  )
  expectParagraph(result, 7, 'line 2 of in.ndjson is not a record', 'not JSON')
})

test('a record whose field does not fit names line and field', async () => {
  const cwd = folder({ 'topology.ts': wordCount })
  const stdin = '{"topic":"lines","value":"a"}\n{"topic":"lines","value":5}\n'
  const result = await program(['try', 'topology.ts'], { cwd, stdin })
  expect(result.exit).toBe(7)
  expect(result.stderr).toMatch(/line 2 of stdin is not a record: in "value": a string was expected, not 5/)
})

test('a failing function: nothing past its record is committed, and the next run meets it again', async () => {
  const cwd = folder({
    'topology.ts': refusesTwo,
    'in.ndjson': '{"key":"a","value":1}\n{"key":"a","value":2}\n{"key":"a","value":3}\n',
  })
  await program(['produce', 'numbers', '--file', 'in.ndjson', '--value', 'json'], { cwd })
  for (const _ of [1, 2]) {
    const result = await program(['run', 'topology.ts', '--until', 'caught-up', '--timeout', '15s'], { cwd })
    expectParagraph(result, 7, /two is \\u001b\[31m not wanted/, /topology\.ts:8:\d+/, 'numbers-0 at offset 1')
  }
  const passed = await program(['consume', 'passed', '--until', 'caught-up'], { cwd })
  expect(passed.stdout).not.toContain('"value":"3"')
  const lag = await program(['lag', 'refuses-two', '--topic', 'numbers', '--json'], { cwd })
  expect((JSON.parse(lag.stdout) as { data: { total: number } }).data.total).toBeGreaterThanOrEqual(2)
})

test('bytes that do not read name the record', async () => {
  const cwd = folder({ 'topology.ts': refusesTwo })
  await program(['produce', 'numbers'], { cwd, stdin: 'no json\n' })
  const result = await program(['run', 'topology.ts', '--until', 'caught-up', '--timeout', '15s'], { cwd })
  expectParagraph(result, 7, 'not JSON', 'numbers-0 at offset 0', 'dead-letter')
})

test('with --json the error is one line of JSON on stderr', async () => {
  const cwd = folder({ 'topology.ts': 'throw new Error("boom")' })
  const result = await program(['graph', 'topology.ts', '--json'], { cwd })
  expect(JSON.parse(result.stderr)).toMatchObject({
    v: 1,
    kind: 'error',
    code: 'INVALID_TOPOLOGY',
    exit: 3,
    where: { file: join(cwd, 'topology.ts'), line: 1 },
  })
  expect(result.stdout).toBe('')
})

test('--debug shows the stack', async () => {
  const cwd = folder({ 'topology.ts': 'throw new Error("boom")' })
  const result = await program(['graph', 'topology.ts', '--debug'], { cwd })
  expect(result.stderr).toMatch(/^\s+at .*topology\.ts:1:7/m)
})
