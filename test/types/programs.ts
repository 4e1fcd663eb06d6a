/** Programs that each make one mistake, and what the compiler tells their authors. */

import { join } from 'node:path'

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

/** The program, and words of the message, all of which it must have. */
type Wrong = readonly [text: string, word: string, ...words: string[]]

export const programs: Readonly<Record<string, Wrong>> = {
  'misspelt field': [
    'stream.filter((v) => v.amout > 1)',
    "Property 'amout' does not exist on type",
    "Did you mean 'amount'?",
  ],
  'start that is none': [
    "defineTopology('t', (b) => b.stream(orders, { startFrom: 'end' }).to(orders))",
    `Type '"end"' is not assignable to type`,
    `'StartFromOption | undefined'`,
  ],
  'table of a pattern': [
    "defineTopology('t', (b) => void b.table(topicPattern(/a.*/, orders), { store: 's' }))",
    `Type '"topic-pattern"' is not assignable to type '"topic"'`,
  ],
  'misspelt Avro field': [
    "defineTopology('t', (b) => b.stream(orders).filter((v) => v.amout > 1).to(orders))",
    "Property 'amout' does not exist on type",
    "Did you mean 'amount'?",
  ],
  'number stream to a bigint topic': [
    'stream.mapValues((v) => v.amount).to(counts)',
    "Argument of type 'TopicDefinition<string, bigint>' is not assignable to parameter of type 'Sink<string, number>'.",
    "Type 'number' is not assignable to type 'bigint'.",
  ],
  'join of different keys': [
    'stream.join(byNumber, (v, row) => ({ ...v, ...row }))',
    `Property '"keys differ, call selectKey(...) first"' is missing in type 'KTable<bigint,`,
  ],
  'join of streams with different keys': [
    "stream.join(stream.selectKey((v) => v.amount), (v) => v, Windows.join('1m', { grace: 0 }), { name: 'j' })",
    `Property '"keys differ, call selectKey(...) first"' is missing in type 'KStream<number,`,
  ],
  'other side of a left join': [
    "stream.leftJoin(stream, (v, other) => v.amount + other.amount, Windows.join('1m', { grace: 0 }), { name: 'j' })",
    "'other' is possibly 'null'.",
  ],
  'join of streams without a name': [
    "stream.outerJoin(stream, (v) => v, Windows.join('1m', { grace: 0 }), {})",
    "Property 'name' is missing in type '{}'",
  ],
  'merge of different keys': [
    'stream.merge(stream.selectKey((v) => v.amount))',
    `Property '"keys differ, call selectKey(...) first"' is missing in type 'KStream<number,`,
  ],
  'unknown field as an id': [
    "stream.dedupe('once', { by: (v) => v.custmer, within: '1h' })",
    "Property 'custmer' does not exist on type",
    "Did you mean 'customer'?",
  ],
  'no limit': ["stream.rateLimit('limit', { per: '1m' })", `Property 'limit' is missing in type '{ per: "1m"; }'`],
  'bad duration': [
    "Windows.tumbling('1hour', { grace: '5m' })",
    `Argument of type '"1hour"' is not assignable to parameter of type 'Duration'.`,
  ],
  'outside of an Avro enum': [
    "defineTopology('t', (b) => b.stream(orders).mapValues((v) => ({ ...v, currency: 'GBP' as const })).to(orders))",
    `Type '"GBP"' is not assignable to type '"EUR" | "USD"'.`,
  ],
  'row of a left join': [
    'export const x: KTable<string, { name: string } | null> = undefined!; stream.leftJoin(x, (_, row) => row.name)',
    "'row' is possibly 'null'.",
  ],
  'forward without out': [
    "stream.process('p', { on: (record, { forward }) => forward(record.key, 1) })",
    'nothing is forwarded without out: { key, value }',
  ],
  'forward of another type': [
    "stream.processValues('p', { out: { value: double }, on: ({ value }, { forward }) => forward(value.customer) })",
    "Argument of type 'string' is not assignable to parameter of type 'number'.",
  ],
  'async processor': [
    "stream.process('p', { on: async (record) => { await record } })",
    "Type 'Promise<void>' is not assignable to type 'Synchronous'.",
  ],
  'store of another type': [
    "stream.process('p', { stores: { n: store({ key: string, value: double }) }, on: ({ key, value }, { stores }) => stores.n.put(key, value.customer) })",
    "Argument of type 'string' is not assignable to parameter of type 'number'.",
  ],
  'misspelt store': [
    "stream.process('p', { stores: { tries: store({ key: string, value: double }) }, on: ({ key }, { stores }) => void stores.trise.get(key) })",
    "Property 'trise' does not exist on type",
    "Did you mean 'tries'?",
  ],
  'no serde for a new key': [
    "stream.groupBy('by-customer', (v) => v.customer, {})",
    "Property 'key' is missing in type '{}'",
  ],
  'final results of a table without windows': [
    "byNumber.suppress('final', Suppressed.untilWindowCloses('unbounded'))",
    'only the windows of a windowed table close: use Suppressed.untilTimeLimit(...)',
  ],
  'grouped table without a subtractor': [
    "byNumber.groupBy('g', (v) => [v.name, 1], { key: string, value: double }).reduce('r', (a, b) => a + b)",
    'Expected 3-4 arguments, but got 2.',
  ],
  'foreign key of another type': [
    "byNumber.join(byNumber, { name: 'j', foreignKey: (v) => v.name, joiner: () => 'x', serde: string })",
    "Type 'string' is not assignable to type 'bigint'.",
  ],
  'transformed value of another type': [
    "byNumber.transformValues('t', { serde: string, transform: () => 1 })",
    "Type 'number' is not assignable to type 'string'.",
  ],
  'no name for a store': ['stream.groupByKey().count()', 'Expected 1-2 arguments, but got 0.'],
  'serde of another type': [
    "stream.groupByKey().aggregate('n', { init: () => 0, add: (n) => n + 1, serde: string })",
    "Type 'Serde<string>' is not assignable to type 'Serde<number>'",
  ],
  // Sources.
  'table without a store': [
    "defineTopology('t', (b) => void b.table(orders, {}))",
    "Property 'store' is missing in type '{}'",
  ],
  'a changelog that is none': [
    "defineTopology('t', (b) => void b.table(orders, { store: 's', changelog: 'topic' }))",
    'is not assignable to type \'"',
  ],
  'global table without a store': [
    "defineTopology('t', (b) => void b.globalTable(counts, {}))",
    "Property 'store' is missing in type '{}'",
  ],
  'topics of different keys as one stream': [
    "defineTopology('t', (b) => void b.stream([orders, topic('n', { key: int64, value: int64 })]))",
    'keys differ, read each topic on its own, call selectKey(...) and merge them',
  ],
  'name in place of a topic': [
    "defineTopology('t', (b) => void b.stream('orders'))",
    "Argument of type 'string' is not assignable to parameter of type 'AnySource<unknown, unknown>'.",
  ],
  // Records one by one.
  'predicate that gives a number': [
    'stream.filterNot((v) => v.amount)',
    "Type 'number' is not assignable to type 'boolean'.",
  ],
  'async predicate': [
    'stream.filter(async (v) => v.amount > 1)',
    "Type 'Promise<boolean>' is not assignable to type 'boolean'.",
  ],
  'map to no pair': [
    'stream.map((v) => v.amount)',
    "Type 'number' is not assignable to type 'readonly [unknown, unknown]'.",
  ],
  'misspelt field of a mapper': ['stream.mapValues((v) => v.amout)', "Did you mean 'amount'?"],
  'no promise to wait for': [
    "stream.mapAsync('rate', (v) => v.amount)",
    "Type 'number' is not assignable to type 'Promise<unknown>'.",
  ],
  'flatMap to one pair': [
    'stream.flatMap((v, key) => [key, v.amount])',
    "Type 'string' is not assignable to type 'readonly [unknown, unknown]'.",
  ],
  'text in place of values': [
    'stream.flatMapValues((v) => v.customer)',
    "Type 'string' is not assignable to type 'Several<string>'.",
    'a text is one value: give [text], or [...text] for its characters',
  ],
  'flatMapValues to one value': [
    'stream.flatMapValues((v) => v.amount)',
    "Type 'number' is not assignable to type 'Several<unknown>'.",
  ],
  'field in place of a selector': [
    "stream.selectKey('customer')",
    "Argument of type 'string' is not assignable to parameter of type '(value: {",
  ],
  'look at a misspelt field': ['stream.peek((v) => console.log(v.amout))', "Did you mean 'amount'?"],
  'on after the end of a stream': [
    'stream.foreach((v) => console.log(v)).filter(() => true)',
    "Property 'filter' does not exist on type 'void'.",
  ],
  'action on a misspelt field': ['stream.foreach((v) => console.log(v.amout))', "Did you mean 'amount'?"],
  'branch that is none': [
    'stream.split({ large: (v) => v.amount > 1 }).small',
    "Property 'small' does not exist on type 'Split<",
  ],
  'branch by a number': [
    'stream.split({ large: (v) => v.amount })',
    "Type 'number' is not assignable to type 'boolean'.",
  ],
  'label without options': [
    "stream.print('orders')",
    `Type '"orders"' has no properties in common with type 'PrintOptions'.`,
  ],
  // Keys, topics and tables.
  'key serde of another type': [
    'stream.groupByKey({ key: int64 })',
    "Type 'Serde<bigint>' is not assignable to type 'SerdeFor<string, bigint>'",
  ],
  'group by a key of another type': [
    "stream.groupBy('g', (v) => v.amount, { key: string })",
    "Type 'number' is not assignable to type 'string'.",
  ],
  'number of partitions as a text': [
    "stream.repartition('again', { partitions: '3' })",
    "Type 'string' is not assignable to type 'number'.",
  ],
  'topic between without a name': [
    'stream.repartition({ partitions: 3 })',
    "Argument of type '{ partitions: number; }' is not assignable to parameter of type 'string'.",
  ],
  'partition by a key': [
    "stream.repartition('again', { partitioner: (key) => key })",
    "is not assignable to type 'Partitioner<string,",
  ],
  'value serde of another type': [
    "stream.toTable('t', { value: int64 })",
    "Type 'Serde<bigint>' is not assignable to type 'SerdeFor<{",
  ],
  'table without a name': ['stream.toTable()', 'Expected 1-2 arguments, but got 0.'],
  // Joins.
  'global table by a key of another type': [
    "defineTopology('t', (b) => void stream.join(b.globalTable(counts, { store: 's' }), (v) => v.amount, (_, n) => n))",
    "Type 'number' is not assignable to type 'string'.",
  ],
  'join of streams without windows': [
    'stream.join(stream, (v) => v)',
    'two streams are joined within windows, under a name',
  ],
  'join of streams in windows of an aggregate': [
    "stream.join(stream, (v) => v, Windows.tumbling('1m', { grace: 0 }), { name: 'j' })",
    "Argument of type 'TimeWindows' is not assignable to parameter of type 'JoinWindows'.",
  ],
  'misspelt option of a join of streams': [
    "stream.outerJoin(stream, (v) => v, Windows.join('1m', { grace: 0 }), { name: 'j', otherVale: string })",
    "Did you mean to write 'otherValue'?",
  ],
  'one more way to join streams': [
    "stream.outerJoin(stream, (v) => v, Windows.join('1m', { grace: 0 }), { name: 'j', compat: 'flink' })",
    `Type '"flink"' is not assignable to type '"kafka-streams"'`,
  ],
  'left join of tables': [
    'byNumber.leftJoin(byNumber, (row, other) => row.name + other.name)',
    "'other' is possibly 'null'.",
  ],
  'outer join of tables': [
    "byNumber.outerJoin(byNumber, (row, other) => row.name + (other?.name ?? ''))",
    "'row' is possibly 'null'.",
  ],
  'outer join of tables with different keys': [
    "byNumber.outerJoin(stream.toTable('t'), () => 1)",
    'keys differ, call selectKey(...) first',
  ],
  // Tables.
  'misspelt column of a filter': ["byNumber.filter((v) => v.nam === 'a')", "Did you mean 'name'?"],
  'misspelt column of a filterNot': ["byNumber.filterNot((v) => v.nam === 'a')", "Did you mean 'name'?"],
  'misspelt column of a mapper': ['byNumber.mapValues((v) => v.nam)', "Did you mean 'name'?"],
  'deleted rows in the stream of a table': ['byNumber.toStream().mapValues((v) => v.name)', "'v' is possibly 'null'."],
  'function in place of a name': [
    'byNumber.toStream((v) => v.name)',
    "is not assignable to parameter of type 'string'.",
  ],
  'row grouped without its key': [
    "byNumber.groupBy('g', (v) => v.name, { key: string, value: double })",
    "Type 'string' is not assignable to type 'readonly [string | null, number | null]'.",
  ],
  'grouped table without a value serde': [
    "byNumber.groupBy('g', (v) => [v.name, 1], { key: string })",
    "Property 'value' is missing in type '{ key: Serde<string>; }'",
  ],
  'count of a grouped table without a name': [
    "byNumber.groupBy('g', (v) => [v.name, 1], { key: string, value: double }).count()",
    'Expected 1-2 arguments, but got 0.',
  ],
  'aggregate of a table that is never less': [
    "byNumber.groupBy('g', (v) => [v.name, 1], { key: string, value: double }).aggregate('a', { init: () => 0, add: (a, b) => a + b, serde: double })",
    "Property 'subtract' is missing",
  ],
  // Suppress.
  'nothing said of how long': ["byNumber.suppress('calm')", 'Expected 2-3 arguments, but got 1.'],
  'duration in place of a limit': [
    "byNumber.suppress('calm', '5s')",
    "Argument of type 'string' is not assignable to parameter of type 'UntilTimeLimit'.",
  ],
  'option of suppress that is none': [
    "byNumber.suppress('calm', Suppressed.untilTimeLimit('5s', 'unbounded'), { store: 's' })",
    "'store' does not exist in type 'SuppressOptions<",
  ],
  'final results that come early': [
    "Suppressed.untilWindowCloses({ maxRecords: 10, whenFull: 'emit' })",
    `Type '"emit"' is not assignable to type '"stop"'.`,
  ],
  'nothing said of a full buffer': [
    "Suppressed.untilTimeLimit('5s', { maxRecords: 10 })",
    "Property 'whenFull' is missing in type '{ maxRecords: number; }'",
  ],
  'buffer without a limit': [
    "Suppressed.untilTimeLimit('5s', { whenFull: 'emit' })",
    `Property 'maxRecords' is missing in type '{ whenFull: "emit"; }'`,
  ],
  // Aggregates.
  'reduce to another type': [
    "stream.groupByKey().reduce('r', (all, v) => all.amount + v.amount)",
    "Type 'number' is not assignable to type '{ readonly customer: string; readonly amount: number; }'.",
  ],
  'cogroup of no type': ['stream.groupByKey().cogroup((all, v) => all + v.amount)', "'all' is of type 'unknown'."],
  'cogroup of a stream that is not grouped': [
    'stream.groupByKey().cogroup<number>((all) => all).cogroup(stream, (all: number) => all)',
    "is missing the following properties from type 'KGroupedStream<",
  ],
  'cogroup of different keys': [
    "stream.groupByKey().cogroup<number>((all) => all).cogroup(stream.groupBy('g', (v) => v.amount, { key: double }), (all) => all)",
    'keys differ, call selectKey(...) first',
  ],
  'cogroup without a beginning': [
    "stream.groupByKey().cogroup<number>((all) => all).aggregate('c', { serde: double })",
    "Property 'init' is missing in type '{ serde: Serde<number>; }'",
  ],
  'cogroup in windows of a join': [
    "stream.groupByKey().cogroup<number>((all) => all).windowedBy(Windows.join('1m', { grace: 0 }))",
    "Argument of type 'JoinWindows' is not assignable to parameter of type 'TimeWindows | SlidingWindows'.",
  ],
  'windowed cogroup that begins with another type': [
    "stream.groupByKey().cogroup<number>((all) => all).windowedBy(Windows.tumbling('1m', { grace: 0 })).aggregate('c', { init: () => '', serde: double })",
    "Type 'string' is not assignable to type 'number'.",
  ],
  'sessions of a cogroup that cannot become one': [
    "stream.groupByKey().cogroup<number>((all) => all).windowedBy(Windows.session('1m', { grace: 0 })).aggregate('c', { init: () => 0, serde: double })",
    "Property 'merge' is missing in type",
  ],
  // Windows.
  'duration in place of windows': [
    "stream.groupByKey().windowedBy('1m')",
    "Argument of type 'string' is not assignable to parameter of type 'TimeWindows'.",
    "Argument of type 'string' is not assignable to parameter of type 'SessionWindows'.",
  ],
  'hopping windows that do not hop': [
    "Windows.hopping('1h', { grace: 0 })",
    "Property 'advance' is missing in type '{ grace: number; }'",
  ],
  'sliding windows that hop': [
    "Windows.sliding('1h', { advance: '1m', grace: 0 })",
    "'advance' does not exist in type 'WindowOptions'.",
  ],
  'sessions without a grace': ["Windows.session('1h')", 'Expected 2 arguments, but got 1.'],
  'misspelt bound of a join': ["Windows.join('1h', { befor: 0, grace: 0 })", "Did you mean to write 'before'?"],
  'emit that is none': [
    "stream.groupByKey().windowedBy(Windows.hopping('1m', { advance: '10s', grace: 0 })).count('n', { emit: 'last' })",
    `Type '"last"' is not assignable to type 'Emit | undefined'.`,
  ],
  'late records to a topic of other values': [
    "stream.groupByKey().windowedBy(Windows.sliding('1m', { grace: 0 })).count('n', { late: counts })",
    "Type 'TopicDefinition<string, bigint>' is not assignable to type 'Sink<string,",
  ],
  'reduce of a window to another type': [
    "stream.groupByKey().windowedBy(Windows.tumbling('1m', { grace: 0 })).reduce('r', (all, v) => all.amount + v.amount)",
    "Type 'number' is not assignable to type '{ readonly customer: string; readonly amount: number; }'.",
  ],
  'aggregate of a window of another type': [
    "stream.groupByKey().windowedBy(Windows.tumbling('1m', { grace: 0 })).aggregate('a', { init: () => 0, add: (n, v) => n + v.customer, serde: double })",
    "Type 'string' is not assignable to type 'number'.",
  ],
  'ttl of sessions': [
    "stream.groupByKey().windowedBy(Windows.session('1m', { grace: 0 })).count('n', { ttl: '1h' })",
    "'ttl' does not exist in type 'WindowedOptions<",
  ],
  'reduce of a session to another type': [
    "stream.groupByKey().windowedBy(Windows.session('1m', { grace: 0 })).reduce('r', (all) => all.amount)",
    "Type 'number' is not assignable to type '{ readonly customer: string; readonly amount: number; }'.",
  ],
  'sessions that cannot become one': [
    "stream.groupByKey().windowedBy(Windows.session('1m', { grace: 0 })).aggregate('a', { init: () => 0, add: (n, v) => n + v.amount, serde: double })",
    "Property 'merge' is missing in type",
  ],
  'deleted sessions': [
    "stream.groupByKey().windowedBy(Windows.session('1m', { grace: 0 })).count('n').toStream().mapValues((n) => n + 1n)",
    "'n' is possibly 'null'.",
  ],
  'windowed keys to a topic of plain ones': [
    "stream.groupByKey().windowedBy(Windows.tumbling('1m', { grace: 0 })).count('n').toStream().to(counts)",
    "Type 'Windowed<string>' is not assignable to type 'string'.",
  ],
  'function for a topic without those it may choose': [
    'stream.to(() => counts)',
    "is not assignable to parameter of type 'Sink<string,",
  ],
  'processor without a name': ['stream.process({ on: () => undefined })', 'Expected 2 arguments, but got 1.'],
  'deleted rows in a transformer': [
    "byNumber.transformValues('t', { serde: string, transform: (row) => row.name })",
    "'row' is possibly 'null'.",
  ],
}

/** A program as a file that no disk holds. */
export function fileOf(name: string, text: string): readonly [file: string, text: string] {
  return [join(import.meta.dirname, `program ${name}.ts`), prelude + text]
}
