/** What the compiler says of a wrong program: each must name the mistake in words that its author knows. */

import { join } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')

const prelude = `
import { Windows } from '../../src/common/windows.ts'
import { defineTopology } from '../../src/dsl/define.ts'
import type { KStream } from '../../src/dsl/facade/kstream.ts'
import type { KTable } from '../../src/dsl/facade/ktable.ts'
import { Suppressed } from '../../src/dsl/suppressed.ts'
import { avro } from '../../src/serde/avro.ts'
import { store } from '../../src/dsl/store.ts'
import { double } from '../../src/serde/double.ts'
import { int64 } from '../../src/serde/int64.ts'
import { json } from '../../src/serde/json.ts'
import { string } from '../../src/serde/string.ts'
import { topic } from '../../src/serde/topic.ts'
import { topicPattern } from '../../src/serde/topic-pattern.ts'
const orderSchema = {
  type: 'record', name: 'Order', fields: [
    { name: 'customer', type: 'string' },
    { name: 'amount', type: 'double' },
    { name: 'currency', type: { type: 'enum', name: 'Currency', symbols: ['EUR', 'USD'] } },
  ],
} as const
const orders = topic('orders', { key: string, value: avro(orderSchema) })
const counts = topic('counts', { key: string, value: int64 })
export const keep = [topicPattern, store, Suppressed, Windows, defineTopology, double, int64, json, counts]
export const kept: [KStream<1, 1>, KTable<1, 1>] | undefined = undefined
declare const stream: KStream<string, { readonly customer: string; readonly amount: number }>
declare const byNumber: KTable<bigint, { readonly name: string } | null>
`

const programs = {
  'no mistake': 'stream.mapValues((v) => v.amount).filter((n) => n > 1)',
  'misspelt field': 'stream.filter((v) => v.amout > 1)',
  'start that is none': "defineTopology('t', (b) => b.stream(orders, { startFrom: 'end' }).to(orders))",
  'table of a pattern': "defineTopology('t', (b) => void b.table(topicPattern(/a.*/, orders), { store: 's' }))",
  'misspelt Avro field': "defineTopology('t', (b) => b.stream(orders).filter((v) => v.amout > 1).to(orders))",
  'number stream to a bigint topic': 'stream.mapValues((v) => v.amount).to(counts)',
  'join of different keys': 'stream.join(byNumber, (v, row) => ({ ...v, ...row }))',
  'join of streams with different keys':
    "stream.join(stream.selectKey((v) => v.amount), (v) => v, Windows.join('1m', { grace: 0 }), { name: 'j' })",
  'other side of a left join':
    "stream.leftJoin(stream, (v, other) => v.amount + other.amount, Windows.join('1m', { grace: 0 }), { name: 'j' })",
  'join of streams without a name': "stream.outerJoin(stream, (v) => v, Windows.join('1m', { grace: 0 }), {})",
  'merge of different keys': 'stream.merge(stream.selectKey((v) => v.amount))',
  'unknown field as an id': "stream.dedupe('once', { by: (v) => v.custmer, within: '1h' })",
  'no limit': "stream.rateLimit('limit', { per: '1m' })",
  'bad duration': "Windows.tumbling('1hour', { grace: '5m' })",
  'outside of an Avro enum':
    "defineTopology('t', (b) => b.stream(orders).mapValues((v) => ({ ...v, currency: 'GBP' as const })).to(orders))",
  'row of a left join':
    'export const x: KTable<string, { name: string } | null> = undefined!; stream.leftJoin(x, (_, row) => row.name)',
  'forward without out': "stream.process('p', { on: (record, { forward }) => forward(record.key, 1) })",
  'forward of another type':
    "stream.processValues('p', { out: { value: double }, on: ({ value }, { forward }) => forward(value.customer) })",
  'async processor': "stream.process('p', { on: async (record) => { await record } })",
  'store of another type':
    "stream.process('p', { stores: { n: store({ key: string, value: double }) }, on: ({ key, value }, { stores }) => stores.n.put(key, value.customer) })",
  'misspelt store':
    "stream.process('p', { stores: { tries: store({ key: string, value: double }) }, on: ({ key }, { stores }) => void stores.trise.get(key) })",
  'no serde for a new key': "stream.groupBy('by-customer', (v) => v.customer, {})",
  'final results of a table without windows': "byNumber.suppress('final', Suppressed.untilWindowCloses('unbounded'))",
  'grouped table without a subtractor':
    "byNumber.groupBy('g', (v) => [v.name, 1], { key: string, value: double }).reduce('r', (a, b) => a + b)",
  'foreign key of another type':
    "byNumber.join(byNumber, { name: 'j', foreignKey: (v) => v.name, joiner: () => 'x', serde: string })",
  'transformed value of another type': "byNumber.transformValues('t', { serde: string, transform: () => 1 })",
  'no name for a store': 'stream.groupByKey().count()',
  'serde of another type': "stream.groupByKey().aggregate('n', { init: () => 0, add: (n) => n + 1, serde: string })",
} as const

type Program = keyof typeof programs

const said = compile()

/** All programs in one compilation: what each was told, as one text, without positions. */
function compile(): ReadonlyMap<string, string> {
  const config = ts.parseJsonConfigFileContent(
    ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config,
    ts.sys,
    root,
  )
  const options: ts.CompilerOptions = { ...config.options, noErrorTruncation: true }
  const files = new Map(
    Object.entries(programs).map(([name, text], index) => [
      join(import.meta.dirname, `program-${index}.ts`),
      { name, text: prelude + text },
    ]),
  )
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile, getSourceFile } = host
  host.fileExists = (file) => files.has(file) || fileExists(file)
  host.readFile = (file) => files.get(file)?.text ?? readFile(file)
  host.getSourceFile = (file, version, ...rest) => {
    const own = files.get(file)
    return own === undefined ? getSourceFile(file, version, ...rest) : ts.createSourceFile(file, own.text, version)
  }
  const program = ts.createProgram([...files.keys()], options, host)
  return new Map(
    [...files].map(([file, { name }]) => {
      const source = program.getSourceFile(file)
      const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
      return [name, found.map((one) => ts.flattenDiagnosticMessageText(one.messageText, '\n')).join('\n')]
    }),
  )
}

function expectSaid(program: Program, ...words: readonly string[]): void {
  for (const word of words) expect(said.get(program), program).toContain(word)
}

test('a right program is told nothing', () => {
  expect(said.get('no mistake')).toBe('')
})

test('a misspelt field: the right one is proposed', () => {
  expectSaid('unknown field as an id', "Property 'custmer' does not exist on type", "Did you mean 'customer'?")
  expectSaid('misspelt field', "Property 'amout' does not exist on type", "Did you mean 'amount'?")
  expectSaid('misspelt Avro field', "Property 'amout' does not exist on type", "Did you mean 'amount'?")
})

test('a number stream to a bigint topic: both types are named', () => {
  expectSaid(
    'number stream to a bigint topic',
    "Argument of type 'TopicDefinition<string, bigint>' is not assignable to parameter of type 'Sink<string, number>'.",
    "Type 'number' is not assignable to type 'bigint'.",
  )
})

test('a limiter without a limit: the option is named', () => {
  expectSaid('no limit', "Property 'limit' is missing in type '{ per: \"1m\"; }'")
})

test('a join of different keys says so in plain words', () => {
  expectSaid(
    'join of different keys',
    `Property '"keys differ, call selectKey(...) first"' is missing in type 'KTable<bigint,`,
  )
  expectSaid(
    'join of streams with different keys',
    `Property '"keys differ, call selectKey(...) first"' is missing in type 'KStream<number,`,
  )
  expectSaid(
    'merge of different keys',
    `Property '"keys differ, call selectKey(...) first"' is missing in type 'KStream<number,`,
  )
})

test('a join of streams: what may be missing, and the name', () => {
  expectSaid('other side of a left join', "'other' is possibly 'null'.")
  expectSaid('join of streams without a name', "Property 'name' is missing in type '{}'")
})

test('what a processor forwards, keeps and gives back', () => {
  expectSaid('forward without out', 'nothing is forwarded without out: { key, value }')
  expectSaid('forward of another type', "Argument of type 'string' is not assignable to parameter of type 'number'.")
  expectSaid('async processor', "Type 'Promise<void>' is not assignable to type 'Synchronous'.")
  expectSaid('store of another type', "Argument of type 'string' is not assignable to parameter of type 'number'.")
  expectSaid('misspelt store', "Property 'trise' does not exist on type", "Did you mean 'tries'?")
})

test('a bad duration', () => {
  expectSaid('bad duration', `Argument of type '"1hour"' is not assignable to parameter of type 'Duration'.`)
})

test('only streams are read by a pattern', () => {
  expectSaid('table of a pattern', `Type '"topic-pattern"' is not assignable to type '"topic"'`)
})

test('where a source may start', () => {
  expectSaid('start that is none', `Type '"end"' is not assignable to type`, `'StartFromOption | undefined'`)
})

test('a value outside of an Avro enum', () => {
  expectSaid('outside of an Avro enum', `Type '"GBP"' is not assignable to type '"EUR" | "USD"'.`)
})

test('the row of a left join may be missing', () => {
  expectSaid('row of a left join', "'row' is possibly 'null'.")
})

test('what is required is named', () => {
  expectSaid('no serde for a new key', "Property 'key' is missing in type '{}'")
  expectSaid('foreign key of another type', "Type 'string' is not assignable to type 'bigint'.")
  expectSaid('transformed value of another type', "Type 'number' is not assignable to type 'string'.")
  expectSaid('no name for a store', 'Expected 1-2 arguments, but got 0.')
  expectSaid('grouped table without a subtractor', 'Expected 3-4 arguments, but got 2.')
})

test('only windows close', () => {
  expectSaid(
    'final results of a table without windows',
    'only the windows of a windowed table close: use Suppressed.untilTimeLimit(...)',
  )
})

test('a serde of another type does not bend the aggregate', () => {
  expectSaid('serde of another type', "Type 'Serde<string>' is not assignable to type 'Serde<number>'")
})
