import { describe, expectTypeOf, test } from 'vitest'
import type { RecordContext } from '../../src/common/record-context.ts'
import type { Duration } from '../../src/common/time.ts'
import { type SessionWindows, type TimeWindows, type Windowed, Windows } from '../../src/common/windows.ts'
import { approxCountDistinct, type Distinct } from '../../src/dsl/aggregators/distinct.ts'
import { collect, first, last, topK } from '../../src/dsl/aggregators/lists.ts'
import { type Mean, max, mean, min, sum } from '../../src/dsl/aggregators/numbers.ts'
import { defineTopology } from '../../src/dsl/define.ts'
import type { CogroupedKStream } from '../../src/dsl/facade/cogrouped.ts'
import type { GlobalKTable } from '../../src/dsl/facade/global-ktable.ts'
import type { KGroupedStream } from '../../src/dsl/facade/grouped.ts'
import type { KGroupedTable } from '../../src/dsl/facade/grouped-table.ts'
import type { KStream } from '../../src/dsl/facade/kstream.ts'
import type { KTable } from '../../src/dsl/facade/ktable.ts'
import type { ProcessorRecord } from '../../src/dsl/facade/processor.ts'
import type { SessionWindowedKStream, TimeWindowedKStream } from '../../src/dsl/facade/windowed.ts'
import { store } from '../../src/dsl/store.ts'
import { Suppressed } from '../../src/dsl/suppressed.ts'
import { otherwise } from '../../src/dsl/types.ts'
import { double } from '../../src/serde/double.ts'
import { int64 } from '../../src/serde/int64.ts'
import { json } from '../../src/serde/json.ts'
import { sessionWindowed } from '../../src/serde/session-windowed.ts'
import { string } from '../../src/serde/string.ts'
import { topic } from '../../src/serde/topic.ts'
import { topicPattern } from '../../src/serde/topic-pattern.ts'
import { windowed } from '../../src/serde/windowed.ts'
import type { Topology } from '../../src/topology/node.ts'

interface Order {
  readonly id: string
  readonly customer: string
  readonly amount: number
  readonly currency: 'EUR' | 'USD'
}
interface Customer {
  readonly name: string
}
interface Paid extends Order {
  readonly at: number
}

const orders = topic('orders', { key: string, value: json<Order>() })
const payments = topic('payments', { key: string, value: json<Paid>() })
const customers = topic('customers', { key: string, value: json<Customer>() })
const numbered = topic('numbered', { key: int64, value: json<Customer>() })
const counts = topic('counts', { key: string, value: int64 })
const amounts = topic('amounts', { key: string, value: double })

declare const stream: KStream<string, Order>
declare const table: KTable<string, Customer | null>
declare const byNumber: KTable<bigint, Customer | null>

describe('sources', () => {
  test('types flow from topics', () => {
    expectTypeOf(
      defineTopology('t', (b) => {
        expectTypeOf(b.stream(orders)).toEqualTypeOf<KStream<string, Order>>()
        expectTypeOf(b.stream([orders, customers])).toEqualTypeOf<KStream<string, Order | Customer>>()
        expectTypeOf(b.table(customers, { store: 'c' })).toEqualTypeOf<KTable<string, Customer | null>>()
        expectTypeOf(b.table(customers, { store: 'v', history: '1h' })).toEqualTypeOf<KTable<string, Customer | null>>()
        // @ts-expect-error a history is a duration
        b.table(customers, { store: 'w', history: '1 hour' })
        // @ts-expect-error a table needs the name of its store
        b.table(customers, {})
        b.stream(orders, { timestamp: (order, id, { timestamp }) => order?.amount ?? id?.length ?? timestamp })
        // @ts-expect-error a time is a number
        b.stream(orders, { timestamp: (order) => order?.id })
        // @ts-expect-error no such policy
        b.stream(orders, { onInvalidTimestamp: 'drop' })
        b.stream(orders, { startFrom: { ago: '1h' } })
        b.table(customers, { store: 'p', startFrom: 'none' })
        const anyOrders = topicPattern(/orders-.*/, { key: orders.key, value: orders.value })
        expectTypeOf(b.stream(anyOrders)).toEqualTypeOf(b.stream(orders))
        expectTypeOf(b.stream([anyOrders, customers])).toEqualTypeOf(b.stream([orders, customers]))
        b.stream(anyOrders, { timestamp: (order) => order?.amount ?? 0 })
        // @ts-expect-error only streams are read by a pattern
        b.table(anyOrders, { store: 'r' })
        // @ts-expect-error only streams are read by a pattern
        b.globalTable(anyOrders, { store: 't' })
        // @ts-expect-error nothing is written to a pattern
        b.stream(orders).to(anyOrders)
        // @ts-expect-error a pattern is a regular expression
        topicPattern('orders-.*', { key: orders.key, value: orders.value })
        // @ts-expect-error a table is all rows of its topic
        b.table(customers, { store: 'q', startFrom: 'latest' })
        // @ts-expect-error an hour is '1h'
        b.stream(orders, { startFrom: { ago: '1 hour' } })
        // @ts-expect-error a policy is one of two
        b.stream(orders, { onDeserializationError: 'skip' })
        // @ts-expect-error texts and bigints never meet
        b.stream([orders, numbered])
        // @ts-expect-error a name is no topic
        b.stream('orders')
        // @ts-expect-error nor is one of several
        b.stream([orders, 'customers'])
      }),
    ).toEqualTypeOf<Topology>()
  })

  test('streams are covariant: a function of the base takes the derived', () => {
    const ids = (s: KStream<string, { readonly id: string }>): KStream<string, string> => s.mapValues((v) => v.id)
    expectTypeOf(ids(stream)).toEqualTypeOf<KStream<string, string>>()
    // @ts-expect-error a number is no string
    const wrong: KStream<number, Order> = stream
    // @ts-expect-error orders are not paid
    const alsoWrong: KStream<string, Paid> = stream
    expectTypeOf([wrong, alsoWrong]).toBeArray()
  })
})

test('a join with a table may wait for late updates', () => {
  stream.join(table, (order) => order, { name: 'late', grace: '10s' })
  // @ts-expect-error a grace is a duration
  stream.leftJoin(table, (order) => order, { name: 'later', grace: 'long' })
})

describe('global tables', () => {
  test('the selector gives keys of the table, the joiner its values', () => {
    defineTopology('t', (b) => {
      const people = b.globalTable(customers, { store: 'people' })
      expectTypeOf(people).toEqualTypeOf<GlobalKTable<string, Customer>>()
      const named = stream.join(
        people,
        (order) => order.customer,
        (order, customer) => `${order.id}${customer.name}`,
      )
      expectTypeOf(named).toEqualTypeOf<KStream<string, string>>()
      const maybe = stream.leftJoin(
        people,
        (order, key) => (order.amount > 1 ? key : null),
        (_order, customer, key) => [customer, key] as const,
        { name: 'maybe' },
      )
      expectTypeOf(maybe).toEqualTypeOf<KStream<string, readonly [Customer | null, string]>>()
      const id = (order: Order) => order.customer
      // @ts-expect-error its keys are text
      stream.join(people, ({ amount }) => amount, String)
      // @ts-expect-error without a row there is no customer
      stream.leftJoin(people, id, (_order, customer) => customer.name)
      // @ts-expect-error it has no key of the stream to be joined by
      stream.join(people, () => 1)
      // @ts-expect-error it emits nothing
      people.toStream()
      // @ts-expect-error it needs a name
      b.globalTable(customers, {})
    })
  })
})

describe('stateless operators', () => {
  test('infer from their functions', () => {
    expectTypeOf(stream.filter((v) => v.amount > 1)).toEqualTypeOf<KStream<string, Order>>()
    expectTypeOf(stream.filter('named', (v, k) => v.id === k)).toEqualTypeOf<KStream<string, Order>>()
    expectTypeOf(stream.map((v, k) => [v.amount, k])).toEqualTypeOf<KStream<number, string>>()
    expectTypeOf(stream.map('m', (v) => [v.id, v])).toEqualTypeOf<KStream<string, Order>>()
    expectTypeOf(stream.mapValues((v) => v.amount)).toEqualTypeOf<KStream<string, number>>()
    expectTypeOf(stream.flatMapValues((v) => v.id.split(''))).toEqualTypeOf<KStream<string, string>>()
    expectTypeOf(stream.flatMap((v) => [[v.id, 1] as const])).toEqualTypeOf<KStream<string, 1>>()
    expectTypeOf(stream.selectKey((v) => v.amount)).toEqualTypeOf<KStream<number, Order>>()
    expectTypeOf(stream.peek(() => undefined)).toEqualTypeOf<KStream<string, Order>>()
    expectTypeOf(stream.foreach(() => undefined)).toEqualTypeOf<void>()
    expectTypeOf(stream.flatMapValues((v) => new Set([v.amount]))).toEqualTypeOf<KStream<string, number>>()
    expectTypeOf(
      stream.flatMapValues('letters', function* (v) {
        yield* v.id
      }),
    ).toEqualTypeOf<KStream<string, string>>()
    expectTypeOf(stream.flatMap('pairs', (v, k) => new Map([[k, v.amount]]))).toEqualTypeOf<KStream<string, number>>()
    expectTypeOf(stream.print({ label: 'orders', limit: 10 })).toEqualTypeOf<void>()
    stream.print()
    // @ts-expect-error the field is called amount
    stream.filter((v) => v.amout > 1)
    // @ts-expect-error a predicate gives a boolean, not a promise of one
    stream.filter(async (v) => v.amount > 1)
    // @ts-expect-error map gives a pair
    stream.map((v) => v.id)
    // @ts-expect-error the field is called amount
    stream.filterNot((v) => v.amout > 1)
    // @ts-expect-error a predicate gives a boolean
    stream.filterNot((v) => v.amount)
    // @ts-expect-error the field is called amount
    stream.mapValues((v) => v.amout)
    // @ts-expect-error a mapper is a function
    stream.mapValues('amount')
    // @ts-expect-error pairs, not one pair
    stream.flatMap((v, k) => [k, v.amount])
    // @ts-expect-error pairs, not values
    stream.flatMap((v) => [v.amount])
    // @ts-expect-error values, not one value
    stream.flatMapValues((v) => v.amount)
    // @ts-expect-error a text is one value, though it is iterable
    stream.flatMapValues((v) => v.id)
    // @ts-expect-error an object is one value
    stream.flatMapValues((v) => v)
    // @ts-expect-error a promise is not waited for
    stream.flatMapValues(async (v) => [v])
    // @ts-expect-error a selector is a function
    stream.selectKey('id')
    // @ts-expect-error the field is called id
    stream.selectKey((v) => v.ids)
    // @ts-expect-error the field is called amount
    stream.peek((v) => v.amout)
    // @ts-expect-error there is something to do
    stream.peek('look')
    // @ts-expect-error the key is a text
    stream.foreach((_, k) => k.toFixed())
    // @ts-expect-error the stream ends there
    stream.foreach(() => undefined).filter(() => true)
    // @ts-expect-error a label is an option
    stream.print('orders')
    // @ts-expect-error a number of records
    stream.print({ limit: '10' })
    // @ts-expect-error the stream ends there
    stream.print().peek(() => undefined)
  })

  test('guards narrow', () => {
    const maybe = stream.mapValues((v): string | null => (v.amount > 1 ? v.id : null))
    expectTypeOf(maybe.filter((v) => v !== null)).toEqualTypeOf<KStream<string, string>>()
    expectTypeOf(maybe.filterNot((v) => v === null)).toEqualTypeOf<KStream<string, string>>()
    const isPaid = (v: Order): v is Paid => 'at' in v
    const { paid, open } = stream.split({ paid: isPaid, open: otherwise })
    expectTypeOf(paid).toEqualTypeOf<KStream<string, Paid>>()
    expectTypeOf(open).toEqualTypeOf<KStream<string, Order>>()
  })

  test('split gives exactly the branches that were named', () => {
    const branches = stream.split({ large: (v) => v.amount > 100, small: (_, key) => key === 'a', rest: otherwise })
    expectTypeOf<keyof typeof branches>().toEqualTypeOf<'large' | 'small' | 'rest'>()
    expectTypeOf(branches.large).toEqualTypeOf<KStream<string, Order>>()
    // @ts-expect-error there is no such branch
    branches.medium
    // @ts-expect-error the field is called amount
    stream.split({ large: (v) => v.amout > 100 })
  })

  test('merge takes streams of the same key', () => {
    expectTypeOf(stream.merge(stream)).toEqualTypeOf<KStream<string, Order>>()
    expectTypeOf(
      stream.merge(
        'both',
        stream.mapValues(() => 1),
      ),
    ).toEqualTypeOf<KStream<string, Order | number>>()
    // @ts-expect-error keys differ
    stream.merge(stream.selectKey((v) => v.amount))
  })
})

describe('sinks', () => {
  test('take what they can write, and more general topics', () => {
    stream.to(orders)
    stream.mapValues((v): Paid => ({ ...v, at: 1 })).to(orders)
    stream.selectKey((v): `${string}@${number}` => `${v.id}@${v.amount}`).to(orders)
    stream.mapValues((v) => v.amount).to(amounts)
    // A null is a tombstone, which every topic takes.
    table.toStream().to(customers)
    // @ts-expect-error an order is not paid
    stream.to(payments)
    // @ts-expect-error a number is no bigint
    stream.mapValues((v) => v.amount).to(counts)
    // @ts-expect-error the key is no bigint
    table.toStream().to(numbered)
    // @ts-expect-error undefined is no tombstone
    stream.mapValues((v): Order | undefined => v).to(orders)
  })
})

describe('chosen topics and partitioners', () => {
  const copies = topic('copies', { key: string, value: json<Order>() })
  test('what is chosen is one of those declared', () => {
    expectTypeOf(stream.to((v) => (v.amount > 1 ? orders : copies), { among: [orders, copies] })).toEqualTypeOf<void>()
    stream.to(
      (_, key, context) => {
        expectTypeOf(key).toEqualTypeOf<string>()
        expectTypeOf(context).toEqualTypeOf<RecordContext>()
        return orders
      },
      { among: [orders] },
    )
    // @ts-expect-error it has to be declared
    stream.to(() => orders)
    // @ts-expect-error a topic of other values
    stream.to(() => counts, { among: [counts] })
    // @ts-expect-error it must be one of those declared
    stream.to(() => counts, { among: [orders] })
    // @ts-expect-error a name is no topic
    stream.to(() => 'orders', { among: [orders] })
  })

  test('a partitioner sees key and value', () => {
    stream.to(orders, { partitioner: (key, value, partitions) => (value.id === key ? 0 : partitions - 1) })
    stream.repartition('again', { partitioner: (_, value) => (value.amount > 1 ? 1 : undefined) })
    // @ts-expect-error a partition is a number
    stream.to(orders, { partitioner: (key) => key })
    // @ts-expect-error the field is called amount
    stream.repartition('again', { partitioner: (_, value) => value.amout })
  })
})

describe('approxCountDistinct', () => {
  test('counts what is a text, a number or nothing', () => {
    const visitors = stream.groupByKey().aggregate(
      'visitors',
      approxCountDistinct((order) => order.customer),
    )
    expectTypeOf(visitors).toEqualTypeOf<KTable<string, Distinct>>()
    expectTypeOf(visitors.mapValues((seen) => seen.estimate)).toEqualTypeOf<KTable<string, number>>()
    approxCountDistinct((order: Order) => (order.amount > 1 ? order.id : null), { precision: 14 })
    // @ts-expect-error an object is not counted
    approxCountDistinct((order: Order) => order)
    // @ts-expect-error a precision is a number
    approxCountDistinct((order: Order) => order.id, { precision: 'high' })
  })
})

describe('rows that end', () => {
  test('can be deleted, so that their table says null', () => {
    const grouped = stream.groupByKey()
    expectTypeOf(grouped.count('n', { ttl: '1h' })).toEqualTypeOf<KTable<string, bigint | null>>()
    expectTypeOf(grouped.count('n', { storage: 'memory' })).toEqualTypeOf<KTable<string, bigint>>()
    expectTypeOf(grouped.reduce('r', (a) => a, { ttl: 10 })).toEqualTypeOf<KTable<string, Order | null>>()
    const sum = { init: () => 0, add: (total: number, order: Order) => total + order.amount, serde: double }
    expectTypeOf(grouped.aggregate('a', { ...sum, ttl: '1h' })).toEqualTypeOf<KTable<string, number | null>>()
    expectTypeOf(
      grouped.aggregate('a', {
        init: () => ({ n: 0 }),
        add: (total, { amount }) => ({ n: total.n + amount }),
        serde: json,
        ttl: '1h',
      }),
    ).toEqualTypeOf<KTable<string, { n: number } | null>>()
    expectTypeOf(grouped.cogroup(sum.add).aggregate('c', { ...sum, ttl: '1h' })).toEqualTypeOf<
      KTable<string, number | null>
    >()
    expectTypeOf(stream.toTable('t', { ttl: '1h' })).toEqualTypeOf<KTable<string, Order | null>>()
    expectTypeOf(store({ key: string, value: double, ttl: '1h' }).ttl).toEqualTypeOf<Duration | undefined>()
    // @ts-expect-error a duration has a unit
    grouped.count('n', { ttl: '1 hour' })
    // @ts-expect-error a window ends by itself
    grouped.windowedBy(Windows.tumbling('1h', { grace: 0 })).count('n', { ttl: '1h' })
    // @ts-expect-error rows of groups are subtracted from, and must be there
    table.groupBy('g', (row) => [row.name, row], { key: string, value: json<Customer>() }).count('n', { ttl: '1h' })
  })
})

describe('duplicates and limits', () => {
  test('the stream stays what it is', () => {
    expectTypeOf(stream.dedupe('once', { within: '1h' })).toEqualTypeOf<KStream<string, Order>>()
    expectTypeOf(stream.dedupe('once', { by: (order) => order.id, within: 10 })).toEqualTypeOf<KStream<string, Order>>()
    const { within, over } = stream.rateLimit('limit', { limit: 3, per: '1s', by: (_, key) => key })
    expectTypeOf(within).toEqualTypeOf<KStream<string, Order>>()
    expectTypeOf(over).toEqualTypeOf<KStream<string, Order>>()
    const byCustomer = stream.selectKey((order) => order.customer).dedupe('again', { within: '1h', key: string })
    expectTypeOf(byCustomer).toEqualTypeOf<KStream<string, Order>>()
    // @ts-expect-error it owns a store, so it has a name
    stream.dedupe({ within: '1h' })
    // @ts-expect-error there is a period
    stream.dedupe('once', {})
    // @ts-expect-error an order has no such field
    stream.dedupe('once', { by: (order) => order.number, within: '1h' })
    // @ts-expect-error an object is no id
    stream.dedupe('once', { by: (order) => order, within: '1h' })
    // @ts-expect-error there is a limit
    stream.rateLimit('limit', { per: '1s' })
    // @ts-expect-error a duration has a unit
    stream.rateLimit('limit', { limit: 3, per: '1 second' })
    // @ts-expect-error keys of another type
    stream.dedupe('once', { within: '1h', key: int64 })
  })
})

describe('calls to the outside', () => {
  test('the value is that of the promise', () => {
    const out = stream.mapAsync('call', async (value, key, { signal }) => {
      expectTypeOf(value).toEqualTypeOf<Order>()
      expectTypeOf(key).toEqualTypeOf<string>()
      expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
      return value.amount
    })
    expectTypeOf(out).toEqualTypeOf<KStream<string, number>>()
    // @ts-expect-error a call has a name
    stream.mapAsync(async () => 1)
    // @ts-expect-error it gives a promise; mapValues does the rest
    stream.mapAsync('call', (value) => value.amount)
    // @ts-expect-error a duration has a unit
    stream.mapAsync('call', async () => 1, { timeout: '1 second' })
  })
})

describe('processors', () => {
  const tries = store({ key: string, value: double })
  test('types come from stores, tables and out', () => {
    const out = stream.process('p', {
      stores: { tries, names: store({ key: int64, value: string }) },
      tables: { table },
      out: { key: int64, value: json<Customer>() },
      on(record, context) {
        expectTypeOf(record).toEqualTypeOf<ProcessorRecord<string, Order>>()
        expectTypeOf(context.stores.tries.get('a')).toEqualTypeOf<number | undefined>()
        expectTypeOf(context.stores.names.delete(1n)).toEqualTypeOf<string | undefined>()
        expectTypeOf(context.tables.table.get('a')).toEqualTypeOf<Customer | undefined>()
        expectTypeOf(context.topic).toEqualTypeOf<string | null>()
        context.forward(1n, { name: 'a' })
        context.forward(1n, { name: 'a' }, { timestamp: 1, headers: record.headers })
        // @ts-expect-error the key is a bigint
        context.forward('a', { name: 'a' })
        // @ts-expect-error the value has no such field
        context.forward(1n, { nam: 'a' })
        // @ts-expect-error a table is only read
        context.tables.table.put('a', { name: 'a' })
        // @ts-expect-error a key of this store is a bigint
        context.stores.names.put('a', 'b')
        // @ts-expect-error there is no such store
        context.stores.other
      },
      punctuators: [
        {
          type: 'stream-time',
          every: '1s',
          punctuate(timestamp, context) {
            expectTypeOf(timestamp).toEqualTypeOf<number>()
            context.stores.tries.put('a', null)
            context.forward(1n, { name: 'a' })
          },
        },
      ],
    })
    expectTypeOf(out).toEqualTypeOf<KStream<bigint, Customer>>()
  })

  test('a fixed key stays', () => {
    const out = stream.processValues('p', {
      stores: { tries },
      out: { value: double },
      on({ value }, { forward }) {
        forward(value.amount, { timestamp: 1 })
        // @ts-expect-error the key is that of the record
        forward('a', value.amount)
      },
      // @ts-expect-error there is no record whose key it would be
      punctuators: [{ type: 'wall-clock-time', every: 10, punctuate: (_, { forward }) => forward(1) }],
    })
    expectTypeOf(out).toEqualTypeOf<KStream<string, number>>()
  })

  test('a fixed key: values alone are forwarded', () => {
    expectTypeOf(
      stream.processValues('p', { out: { value: double }, on: ({ value }, { forward }) => forward(value.amount) }),
    ).toEqualTypeOf<KStream<string, number>>()
    expectTypeOf(stream.processValues('p', { on: () => undefined })).toEqualTypeOf<KStream<string, never>>()
    // @ts-expect-error a number is forwarded
    stream.processValues('p', { out: { value: double }, on: ({ value }, { forward }) => forward(value.id) })
    // @ts-expect-error nothing is forwarded without out
    stream.processValues('p', { on: ({ value }, { forward }) => forward(value) })
    // @ts-expect-error the key is not changed
    stream.processValues('p', { out: { key: string, value: double }, on: () => undefined })
    // @ts-expect-error a processor is synchronous
    stream.processValues('p', { on: async () => undefined })
    // @ts-expect-error a processor needs a name
    stream.processValues({ on: () => undefined })
  })

  test('what is missing or wrong does not compile', () => {
    expectTypeOf(stream.process('p', { on: () => undefined })).toEqualTypeOf<KStream<never, never>>()
    // @ts-expect-error a processor needs a name
    stream.process({ on: () => undefined })
    // @ts-expect-error nothing is forwarded without out
    stream.process('p', { on: ({ key, value }, { forward }) => forward(key, value) })
    // @ts-expect-error a processor is synchronous
    stream.process('p', { on: async () => undefined })
    // @ts-expect-error a punctuator has a type
    stream.process('p', { on: () => undefined, punctuators: [{ every: '1s', punctuate: () => undefined }] })
    // @ts-expect-error a store has serdes for both
    store({ key: string })
    // @ts-expect-error stores are declared with store(...)
    stream.process('p', { stores: { tries: string }, on: () => undefined })
  })
})

describe('grouping', () => {
  test('keeps or changes the key', () => {
    expectTypeOf(stream.groupByKey()).toEqualTypeOf<KGroupedStream<string, Order>>()
    expectTypeOf(stream.groupBy('by', (v) => v.currency, { key: string })).toEqualTypeOf<
      KGroupedStream<string, Order>
    >()
    // What is read back from the topic is a string, whatever was written.
    const byCurrency = stream.selectKey((v) => v.currency)
    expectTypeOf(byCurrency).toEqualTypeOf<KStream<'EUR' | 'USD', Order>>()
    expectTypeOf(byCurrency.groupByKey({ key: string })).toEqualTypeOf<KGroupedStream<string, Order>>()
    expectTypeOf(byCurrency.groupByKey({ key: json })).toEqualTypeOf<KGroupedStream<'EUR' | 'USD', Order>>()
    expectTypeOf(byCurrency.groupByKey({ name: 'n' })).toEqualTypeOf<KGroupedStream<'EUR' | 'USD', Order>>()
    // @ts-expect-error the key serde is required: the key is new
    stream.groupBy('by', (v) => v.customer, {})
    // @ts-expect-error the name is required
    stream.groupBy((v) => v.customer, { key: string })
    // @ts-expect-error an amount is no string
    stream.groupBy('by', (v) => v.amount, { key: string })
    // @ts-expect-error the serde cannot write the value
    stream.mapValues((v) => v.amount).groupByKey({ value: string })
  })

  test('count, reduce and aggregate', () => {
    const grouped = stream.groupByKey()
    expectTypeOf(grouped.count('n')).toEqualTypeOf<KTable<string, bigint>>()
    expectTypeOf(grouped.reduce('r', (a, v) => (a.amount > v.amount ? a : v))).toEqualTypeOf<KTable<string, Order>>()
    const folded = grouped.aggregate('a', {
      init: () => ({ n: 0, ids: [] as string[] }),
      add: (all, v, k) => ({ n: all.n + v.amount, ids: [...all.ids, k] }),
      serde: json,
    })
    expectTypeOf(folded).toEqualTypeOf<KTable<string, { n: number; ids: string[] }>>()
    expectTypeOf(
      grouped.aggregate('b', { init: () => 0n, add: (n) => n + 1n, serde: int64, storage: 'memory' }),
    ).toEqualTypeOf<KTable<string, bigint>>()
    // @ts-expect-error the name is required
    grouped.count()
    // @ts-expect-error the serde is required
    grouped.aggregate('c', { init: () => 0, add: (n: number) => n + 1 })
    // @ts-expect-error the serde must fit the aggregate
    grouped.aggregate('d', { init: () => 0, add: (n) => n + 1, serde: int64 })
    // @ts-expect-error the serde does not decide the aggregate's type
    grouped.aggregate('e', { init: () => ({ n: 0 }), add: (a) => ({ n: a.n + 1 }), serde: json<{ n: string }>() })
    // @ts-expect-error add gives what init gives
    grouped.aggregate('f', { init: () => ({ n: 0 }), add: (a) => ({ m: a.n }), serde: json })
    // @ts-expect-error storage is one of two
    grouped.count('g', { storage: 'ram' })
    // @ts-expect-error a sum of orders is no order
    grouped.reduce('r', (a, v) => a.amount + v.amount)
    // @ts-expect-error the name is required
    grouped.reduce((a) => a)
    // @ts-expect-error the first value is where it begins
    grouped.reduce('r', { init: 0, add: (a: Order) => a })
    // @ts-expect-error the serde cannot write the value
    grouped.reduce('r', (a) => a, { serde: string })
    // @ts-expect-error a duration is no windows
    grouped.windowedBy('1h')
    // @ts-expect-error windows of a join are not of an aggregate
    grouped.windowedBy(Windows.join('1h', { grace: 0 }))
  })

  test('an aggregate that may be deleted says so in its table', () => {
    const open = stream.groupByKey().aggregate('open', {
      init: (): number | null => 0,
      add: (n, v) => (v.amount === 0 ? null : (n ?? 0) + 1),
      serde: double,
    })
    expectTypeOf(open).toEqualTypeOf<KTable<string, number | null>>()
  })

  test('windows', () => {
    const windows = stream.groupByKey().windowedBy(Windows.tumbling('1h', { grace: '5m' }))
    expectTypeOf(windows).toEqualTypeOf<TimeWindowedKStream<string, Order>>()
    expectTypeOf(windows.count('n')).toEqualTypeOf<KTable<Windowed<string>, bigint>>()
    expectTypeOf(windows.reduce('r', (a) => a)).toEqualTypeOf<KTable<Windowed<string>, Order>>()
    // @ts-expect-error a sum of orders is no order
    windows.reduce('r', (a, v) => a.amount + v.amount)
    // @ts-expect-error the field is called amount
    windows.aggregate('a', { init: () => 0, add: (sum, v) => sum + v.amout, serde: double })
    // @ts-expect-error the serde must fit the aggregate
    windows.aggregate('a', { init: () => 0, add: (sum, v) => sum + v.amount, serde: string })
    // @ts-expect-error the name is required
    windows.count()
    expectTypeOf(windows.aggregate('a', { init: () => 0, add: (sum, v) => sum + v.amount, serde: json })).toEqualTypeOf<
      KTable<Windowed<string>, number>
    >()
    expectTypeOf(
      windows
        .count('n')
        .toStream()
        .map((n, { key, start }) => [`${key}@${start}`, n]),
    ).toEqualTypeOf<KStream<string, bigint>>()
    expectTypeOf(Windows.tumbling('1h', { grace: 0 })).toEqualTypeOf<TimeWindows>()
    expectTypeOf(Windows.hopping('1h', { advance: '5m', grace: 0 })).toEqualTypeOf<TimeWindows>()
    // @ts-expect-error grace is a decision
    Windows.tumbling('1h')
    // @ts-expect-error hopping windows need their advance
    Windows.hopping('1h', { grace: 0 })
    // @ts-expect-error no unit of that name
    Windows.tumbling('1hour', { grace: 0 })
  })

  test('sliding windows are typed as the others, but for values that are there', () => {
    const nullable = stream.mapValues((order): Order | null => order)
    const windows = Windows.sliding('5m', { grace: '1m' })
    const near = stream.groupByKey().windowedBy(windows)
    expectTypeOf(near).toEqualTypeOf<TimeWindowedKStream<string, Order>>()
    expectTypeOf(near.count('n')).toEqualTypeOf<KTable<Windowed<string>, bigint>>()
    expectTypeOf(nullable.groupByKey({ value: json<Order>() }).windowedBy(windows)).toEqualTypeOf<
      TimeWindowedKStream<string, Order>
    >()
    near
      .count('n')
      .toStream()
      .to(topic('near', { key: windowed(string, '5m'), value: int64 }))
    // @ts-expect-error grace is a decision
    Windows.sliding('5m')
    // @ts-expect-error a sliding window moves with its records, not by an advance
    Windows.sliding('5m', { advance: '1m', grace: '1m' })
  })

  test('a topology may close windows when its inputs are idle', () => {
    defineTopology('idle', (b) => void b.stream(orders), { idleClose: '30s' })
    // @ts-expect-error no duration
    defineTopology('idle', (b) => void b.stream(orders), { idleClose: 'soon' })
  })

  test('windows may be passed on when they close, and late records go to a topic that takes them', () => {
    const minutes = stream.groupByKey().windowedBy(Windows.tumbling('1m', { grace: '10s' }))
    const late = topic('late', { key: string, value: json<Order>() })
    expectTypeOf(minutes.count('n', { emit: 'final', late })).toEqualTypeOf<KTable<Windowed<string>, bigint>>()
    minutes.reduce('r', (a) => a, { emit: 'updates', late })
    minutes.aggregate('a', { init: () => 0, add: (sum, v) => sum + v.amount, serde: json, emit: 'final', late })
    stream
      .groupByKey()
      .windowedBy(Windows.session('1m', { grace: '10s' }))
      .aggregate('s', { init: () => 0, add: (n) => n + 1, merge: (n, m) => n + m, serde: json, emit: 'final', late })
    // @ts-expect-error neither at every update nor at the end
    minutes.count('n', { emit: 'sometimes' })
    // @ts-expect-error a topic that takes other values
    minutes.count('n', { late: topic('late', { key: string, value: string }) })
    // @ts-expect-error a topic that takes other keys
    minutes.count('n', { late: topic('late', { key: int64, value: json<Order>() }) })
    // @ts-expect-error without windows nothing closes
    stream.groupByKey().count('n', { emit: 'final' })
  })

  test('sessions: a table that deletes, since sessions become one', () => {
    const visits = stream.groupByKey().windowedBy(Windows.session('5m', { grace: '1m' }))
    expectTypeOf(visits).toEqualTypeOf<SessionWindowedKStream<string, Order>>()
    expectTypeOf(visits.count('n')).toEqualTypeOf<KTable<Windowed<string>, bigint | null>>()
    expectTypeOf(visits.reduce('r', (a) => a)).toEqualTypeOf<KTable<Windowed<string>, Order | null>>()
    const merge = (a: number, b: number): number => a + b
    expectTypeOf(
      visits.aggregate('a', { init: () => 0, add: (sum, v) => sum + v.amount, merge, serde: json }),
    ).toEqualTypeOf<KTable<Windowed<string>, number | null>>()
    visits
      .count('n')
      .toStream()
      .to(topic('visits', { key: sessionWindowed(string), value: int64 }))
    // @ts-expect-error a window ends by itself
    visits.count('n', { ttl: '1h' })
    // @ts-expect-error a sum of orders is no order
    visits.reduce('r', (a, v) => a.amount + v.amount)
    // @ts-expect-error sessions become one, so that two aggregates must too
    visits.aggregate('b', { init: () => 0, add: (sum, v) => sum + v.amount, serde: json })
    expectTypeOf(Windows.session('5m', { grace: '1m' })).toEqualTypeOf<SessionWindows>()
    // @ts-expect-error grace is a decision
    Windows.session('5m')
  })
})

describe('tables and joins', () => {
  test('null shows in tables that can delete, not in streams', () => {
    expectTypeOf(stream.toTable('t')).toEqualTypeOf<KTable<string, Order | null>>()
    expectTypeOf(table.toStream()).toEqualTypeOf<KStream<string, Customer | null>>()
    expectTypeOf(stream.groupByKey().count('n').toStream()).toEqualTypeOf<KStream<string, bigint>>()
    // @ts-expect-error its store has a name
    stream.toTable()
    // @ts-expect-error the serde cannot write the value
    stream.toTable('t', { value: string })
    // @ts-expect-error a history is a duration
    stream.toTable('t', { history: 'for ever' })
    // @ts-expect-error rows may be deleted
    table.toStream().mapValues((row) => row.name)
    // @ts-expect-error a name is a text; mapValues takes functions
    table.toStream((row) => row)
    // Un-windowed aggregates skip tombstones.
    table
      .toStream()
      .groupByKey()
      .aggregate('names', { init: () => '', add: (all, v) => all + v.name, serde: string })
  })

  test('an inner join has a row, a left join may have none', () => {
    expectTypeOf(stream.join(table, (v, c) => ({ id: v.id, name: c.name }))).toEqualTypeOf<
      KStream<string, { id: string; name: string }>
    >()
    expectTypeOf(stream.leftJoin(table, (v, c, k) => [v.id, c?.name, k] as const)).toEqualTypeOf<
      KStream<string, readonly [string, string | undefined, string]>
    >()
    // @ts-expect-error the row may be missing
    stream.leftJoin(table, (_, c) => c.name)
    const rekeyed = stream.selectKey((v) => v.customer).mapValues((v) => v.amount)
    rekeyed.join(table, (n, c) => n + c.name, { name: 'j', key: string, value: double })
    // @ts-expect-error the serde cannot write the value
    rekeyed.join(table, (n, c) => n + c.name, { name: 'j', key: string, value: int64 })
  })

  test('joined keys are the same type', () => {
    // @ts-expect-error string and bigint
    stream.join(byNumber, (v) => v)
    // @ts-expect-error string and bigint
    stream.leftJoin(byNumber, (v) => v)
    // @ts-expect-error equal means equal: a literal is not a string
    stream.selectKey(() => 'a' as const).join(table, (v) => v)
    expectTypeOf(stream.selectKey(() => 1n).join(byNumber, (v) => v, { name: 'j' })).toEqualTypeOf<
      KStream<bigint, Order>
    >()
    // @ts-expect-error a join of streams has windows
    stream.join(stream, (v: Order) => v)
  })

  test('streams are joined within windows, under a name; who may be missing is null', () => {
    const windows = Windows.join('10m', { before: 0, after: '-5m', grace: '1m' })
    const numbers = stream.mapValues((v) => v.amount)
    const byBigint = stream.selectKey(() => 1n)
    const options = { name: 'j', otherValue: double }
    expectTypeOf(stream.join(numbers, (v, n, k) => [v.id, n, k] as const, windows, options)).toEqualTypeOf<
      KStream<string, readonly [string, number, string]>
    >()
    expectTypeOf(stream.leftJoin(numbers, (v, n) => [v.id, n] as const, windows, options)).toEqualTypeOf<
      KStream<string, readonly [string, number | null]>
    >()
    expectTypeOf(stream.outerJoin(numbers, (v, n) => [v, n] as const, windows, options)).toEqualTypeOf<
      KStream<string, readonly [Order | null, number | null]>
    >()
    // A tombstone takes no part in a join.
    expectTypeOf(table.toStream().join(stream, (c) => c, windows, { name: 'c', value: json })).toEqualTypeOf<
      KStream<string, Customer>
    >()
    // @ts-expect-error the other side may be missing
    stream.leftJoin(stream, (v, other) => v.amount + other.amount, windows, { name: 'j' })
    // @ts-expect-error so may this one
    stream.outerJoin(stream, (v) => v.amount, windows, { name: 'j' })
    // @ts-expect-error the stores need a name
    stream.join(stream, (v) => v, windows)
    // @ts-expect-error the windows of an aggregate are others
    stream.join(stream, (v) => v, Windows.tumbling('1h', { grace: 0 }), { name: 'j' })
    // @ts-expect-error bigint and string
    stream.join(byBigint, (v) => v, windows, { name: 'j' })
    // @ts-expect-error the serde cannot write the other stream's value
    stream.join(numbers, (v) => v, windows, { name: 'j', otherValue: string })
    // @ts-expect-error there is one other way to join
    stream.join(stream, (v) => v, windows, { name: 'j', compat: 'flink' })
    // @ts-expect-error grace is a decision
    Windows.join('10m', {})
  })

  test('a function over streams and tables keeps its types', () => {
    const enrich = <K, V extends object, T extends object>(s: KStream<K, V>, t: KTable<K, T | null>) =>
      s.join(t, (v, row) => ({ ...v, ...row }))
    expectTypeOf(enrich(stream, table)).toEqualTypeOf<KStream<string, Order & Customer>>()
  })

  test('repartition and toTable say what is read back', () => {
    expectTypeOf(stream.repartition('r')).toEqualTypeOf<KStream<string, Order>>()
    expectTypeOf(stream.selectKey((v) => v.currency).repartition('r', { key: string })).toEqualTypeOf<
      KStream<string, Order>
    >()
    expectTypeOf(stream.merge(stream.repartition('r', { partitions: 3 }))).toEqualTypeOf<KStream<string, Order>>()
    expectTypeOf(stream.selectKey((v) => v.currency).toTable('t', { key: string })).toEqualTypeOf<
      KTable<string, Order | null>
    >()
  })
})

describe('tables of tables', () => {
  test('a filter can delete rows, a type guard narrows them, a mapper never sees a deleted one', () => {
    const totals = {} as KTable<string, Order>
    expectTypeOf(totals.filter((order) => order.amount > 1)).toEqualTypeOf<KTable<string, Order | null>>()
    expectTypeOf(totals.filterNot('kept', () => false)).toEqualTypeOf<KTable<string, Order | null>>()
    const isPaid = (order: Order): order is Paid => 'at' in order
    expectTypeOf(totals.filter(isPaid)).toEqualTypeOf<KTable<string, Paid | null>>()
    expectTypeOf(totals.mapValues((order, id) => `${id}${order.amount}`)).toEqualTypeOf<KTable<string, string>>()
    expectTypeOf(table.mapValues((customer) => customer.name)).toEqualTypeOf<KTable<string, string | null>>()
    // @ts-expect-error a row has no such field
    totals.filterNot((order) => order.misspelt)
    // @ts-expect-error a predicate gives a boolean
    totals.filterNot((order) => order.amount)
    // @ts-expect-error a row has no such field
    totals.mapValues((order) => order.misspelt)
    // @ts-expect-error rows keep their keys: group them by another
    totals.map((order) => [order.id, order])
    // @ts-expect-error a row has no such field
    totals.filter((order) => order.misspelt)
    const names = totals.mapValues((order) => order.customer).toStream()
    // @ts-expect-error the sink takes orders, not names
    names.to(orders)
  })
})

describe('ready-made aggregators', () => {
  const byId = stream.groupByKey()
  const hourly = byId.windowedBy(Windows.tumbling('1h', { grace: 0 }))
  const visits = byId.windowedBy(Windows.session('1h', { grace: 0 }))

  test('the value is that of the stream, the table has what comes out', () => {
    expectTypeOf(
      byId.aggregate(
        'n',
        sum((order) => order.amount),
      ),
    ).toEqualTypeOf<KTable<string, number>>()
    expectTypeOf(
      byId.aggregate(
        'n',
        sum((order) => BigInt(order.id), int64),
      ),
    ).toEqualTypeOf<KTable<string, bigint>>()
    expectTypeOf(
      byId.aggregate(
        'n',
        min((order) => order.amount),
      ),
    ).toEqualTypeOf<KTable<string, number>>()
    expectTypeOf(
      byId.aggregate(
        'n',
        max((order) => order.customer, string),
      ),
    ).toEqualTypeOf<KTable<string, string>>()
    expectTypeOf(
      byId.aggregate(
        'n',
        mean((order) => order.amount),
      ),
    ).toEqualTypeOf<KTable<string, Mean>>()
    expectTypeOf(
      byId.aggregate(
        'n',
        first((order) => order.customer),
      ),
    ).toEqualTypeOf<KTable<string, string>>()
    expectTypeOf(
      byId.aggregate(
        'n',
        collect((order) => order.id, { max: 5 }),
      ),
    ).toEqualTypeOf<KTable<string, readonly string[]>>()
    expectTypeOf(
      byId.aggregate(
        'n',
        topK(3, (order) => order.amount),
      ),
    ).toEqualTypeOf<KTable<string, readonly Order[]>>()
    expectTypeOf(
      hourly.aggregate(
        'n',
        sum((order) => order.amount),
      ),
    ).toEqualTypeOf<KTable<Windowed<string>, number>>()
    expectTypeOf(
      visits.aggregate(
        'n',
        last((order) => order.customer, string),
      ),
    ).toEqualTypeOf<KTable<Windowed<string>, string | null>>()
    expectTypeOf(byId.aggregate('n', { ...sum((order: Order) => order.amount), storage: 'memory' })).toEqualTypeOf<
      KTable<string, number>
    >()
  })

  test('mistakes are seen', () => {
    byId.aggregate(
      'n',
      // @ts-expect-error a misspelt field
      sum((order) => order.amout),
    )
    byId.aggregate(
      'n',
      // @ts-expect-error no number
      sum((order) => order.customer),
    )
    byId.aggregate(
      'n',
      // @ts-expect-error bigints need their serde
      sum((order) => BigInt(order.id)),
    )
    byId.aggregate(
      'n',
      // @ts-expect-error so do strings
      min((order) => order.customer),
    )
    byId.aggregate(
      'n',
      // @ts-expect-error how many?
      collect((order) => order.id),
    )
  })
})

describe('cogroup', () => {
  interface Cart {
    readonly sum: number
  }
  const byId = stream.groupByKey()
  const cart = { init: () => ({ sum: 0 }), serde: json<Cart>() }

  test('the aggregate has one type, each stream its own', () => {
    const both = byId
      .cogroup<Cart>((cart, order) => ({ sum: cart.sum + order.amount }))
      .cogroup({} as KGroupedStream<string, bigint>, (cart, n, id) => ({ sum: cart.sum + Number(n) + id.length }))
    expectTypeOf(both).toEqualTypeOf<CogroupedKStream<string, Cart>>()
    expectTypeOf(byId.cogroup((cart: Cart, order) => ({ sum: cart.sum + order.amount }))).toEqualTypeOf<typeof both>()
    expectTypeOf(both.aggregate('carts', cart)).toEqualTypeOf<KTable<string, Cart>>()
    const hourly = both.windowedBy(Windows.tumbling('1h', { grace: 0 }))
    expectTypeOf(hourly.aggregate('hourly', cart)).toEqualTypeOf<KTable<Windowed<string>, Cart>>()
    const visits = both.windowedBy(Windows.session('1h', { grace: 0 }))
    expectTypeOf(
      visits.aggregate('visits', { ...cart, merge: (one, other) => ({ sum: one.sum + other.sum }) }),
    ).toEqualTypeOf<KTable<Windowed<string>, Cart | null>>()
    // @ts-expect-error sessions are merged
    visits.aggregate('visits', cart)
    // @ts-expect-error the serde cannot write a cart
    both.aggregate('carts', { ...cart, serde: string })
    // @ts-expect-error a cart has a sum
    both.aggregate('carts', { ...cart, init: () => ({}) })
    // @ts-expect-error a cart has a sum
    hourly.aggregate('hourly', { ...cart, init: () => ({}) })
    // @ts-expect-error a window ends by itself
    hourly.aggregate('hourly', { ...cart, ttl: '1h' })
    // @ts-expect-error a duration is no windows
    both.windowedBy('1h')
    // @ts-expect-error windows of a join are not of an aggregate
    both.windowedBy(Windows.join('1h', { grace: 0 }))
    // @ts-expect-error a number is no cart
    byId.cogroup<Cart>((_, order) => order.amount)
    // @ts-expect-error the type of the aggregate is not known
    byId.cogroup((cart, order) => cart + order.amount)
  })

  test('an aggregator gives what the others take, of keys of one type', () => {
    const first = byId.cogroup<Cart>((cart) => cart)
    // @ts-expect-error no cart
    first.cogroup(stream.groupByKey(), (_, order) => order.amount)
    // @ts-expect-error a bigint key
    first.cogroup({} as KGroupedStream<bigint, Order>, (cart) => cart)
    // @ts-expect-error a stream is not grouped
    first.cogroup(stream, (cart: Cart) => cart)
  })
})

describe('suppress', () => {
  const windowedCounts = {} as KTable<Windowed<string>, bigint | null>
  const untilClosed = Suppressed.untilWindowCloses('unbounded')

  test('until windows close nothing is deleted; until a time limit the type stays', () => {
    expectTypeOf(windowedCounts.suppress('final', untilClosed)).toEqualTypeOf<KTable<Windowed<string>, bigint>>()
    const calm = Suppressed.untilTimeLimit('5s', { maxRecords: 10, whenFull: 'emit' })
    expectTypeOf(windowedCounts.suppress('calm', calm)).toEqualTypeOf<KTable<Windowed<string>, bigint | null>>()
    expectTypeOf(table.suppress('calm', calm)).toEqualTypeOf<KTable<string, Customer | null>>()
  })

  test('only windows close', () => {
    // @ts-expect-error the key is no window
    table.suppress('final', untilClosed)
  })

  test('final results cannot come early, and a bounded buffer says what it does when it is full', () => {
    // @ts-expect-error they would not be final
    Suppressed.untilWindowCloses({ maxRecords: 10, whenFull: 'emit' })
    Suppressed.untilWindowCloses({ maxBytes: 10, whenFull: 'stop' })
    // @ts-expect-error whenFull is missing
    Suppressed.untilTimeLimit('5s', { maxRecords: 10 })
    // @ts-expect-error no limit
    Suppressed.untilTimeLimit('5s', { whenFull: 'stop' })
    // @ts-expect-error a misspelt unit
    Suppressed.untilTimeLimit('5sec', 'unbounded')
  })

  test('a serde must fit the value', () => {
    const names = table.mapValues(({ name }) => name)
    names.suppress('calm', Suppressed.untilTimeLimit(1, 'unbounded'), { serde: string })
    // @ts-expect-error the serde cannot write the value
    names.suppress('calm', Suppressed.untilTimeLimit(1, 'unbounded'), { serde: int64 })
  })
})

describe('tables joined with tables', () => {
  const names = {} as KTable<string, string>

  test('an inner join has both rows, a left join may have none on the right, an outer join on either side', () => {
    expectTypeOf(
      table.join(names, (customer, name, id) => {
        expectTypeOf(customer).toEqualTypeOf<Customer>()
        expectTypeOf(name).toEqualTypeOf<string>()
        expectTypeOf(id).toEqualTypeOf<string>()
        return name.length
      }),
    ).toEqualTypeOf<KTable<string, number | null>>()
    table.leftJoin(names, (customer, name) => {
      expectTypeOf(customer).toEqualTypeOf<Customer>()
      expectTypeOf(name).toEqualTypeOf<string | null>()
    })
    table.outerJoin(names, (customer, name) => {
      expectTypeOf(customer).toEqualTypeOf<Customer | null>()
      expectTypeOf(name).toEqualTypeOf<string | null>()
    })
    const lengths = (one: Customer | null, other: string | null) => (one?.name ?? '').length + (other ?? '').length
    expectTypeOf(table.leftJoin(names, lengths)).toEqualTypeOf<KTable<string, number | null>>()
    expectTypeOf(table.outerJoin(names, lengths)).toEqualTypeOf<KTable<string, number | null>>()
    // @ts-expect-error the other may be missing
    table.leftJoin(names, (_, name) => name.length)
    // @ts-expect-error so may either
    table.outerJoin(names, (customer) => customer.name)
  })

  test('keys must be equal, and the other side a table', () => {
    // @ts-expect-error keys differ
    table.join(byNumber, () => 1)
    // @ts-expect-error keys differ
    table.leftJoin(byNumber, () => 1)
    // @ts-expect-error keys differ
    table.outerJoin(byNumber, () => 1)
    // @ts-expect-error a stream is no table
    table.join(stream, () => 1)
  })
})

describe('grouped tables', () => {
  const byName = table.groupBy('by-name', (customer, id) => [customer.name, id.length], { key: string, value: double })

  test('the serdes say what a group holds, and the mapper must fit them', () => {
    expectTypeOf(byName).toEqualTypeOf<KGroupedTable<string, number>>()
    expectTypeOf(byName.count('n')).toEqualTypeOf<KTable<string, bigint>>()
    expectTypeOf(
      byName.reduce(
        'sum',
        (sum, n) => sum + n,
        (sum, n) => (sum === n ? null : sum - n),
      ),
    ).toEqualTypeOf<KTable<string, number | null>>()
    // @ts-expect-error what is added must be taken out again
    byName.reduce('sum', (sum, n) => sum + n)
    // @ts-expect-error a text is no number
    byName.reduce('sum', String, (sum, n) => sum - n)
    // @ts-expect-error the name is required
    byName.count()
    // @ts-expect-error the value is a number, not a text
    table.groupBy('by-name', (customer) => [customer.name, 1], { key: string, value: string })
    // @ts-expect-error both serdes are needed
    table.groupBy('by-name', (customer) => [customer.name, 1], { key: string })
  })

  test('an aggregate is added to and subtracted from', () => {
    const fold = { init: () => ({ n: 0 }), add: ({ n }: { n: number }) => ({ n: n + 1 }), serde: json }
    expectTypeOf(byName.aggregate('n', { ...fold, subtract: ({ n }) => ({ n: n - 1 }) })).toEqualTypeOf<
      KTable<string, { n: number }>
    >()
    // @ts-expect-error no subtractor
    byName.aggregate('n', fold)
  })
})

describe('joins by a foreign key', () => {
  const names = {} as KTable<bigint, string>
  const by = { name: 'j', foreignKey: (customer: Customer): bigint => BigInt(customer.name.length) }

  test('the key refers to the other table, the serde fits the result', () => {
    expectTypeOf(
      table.join(names, {
        ...by,
        joiner: (customer, name, id) => {
          expectTypeOf(customer).toEqualTypeOf<Customer>()
          expectTypeOf(name).toEqualTypeOf<string>()
          expectTypeOf(id).toEqualTypeOf<string>()
          return { name }
        },
        serde: json,
      }),
    ).toEqualTypeOf<KTable<string, { name: string } | null>>()
    const left = table.leftJoin(names, { ...by, joiner: (_, name) => name, serde: string })
    expectTypeOf(left).toEqualTypeOf<KTable<string, string | null>>()
    // @ts-expect-error the other table's keys are bigints
    table.join(names, { ...by, foreignKey: (customer) => customer.name, joiner: () => 'x', serde: string })
    // @ts-expect-error a number is no text
    table.join(names, { ...by, joiner: () => 1, serde: string })
    // @ts-expect-error the name is missing
    table.join(names, { foreignKey: by.foreignKey, joiner: () => 'x', serde: string })
    // @ts-expect-error the serde is missing
    table.join(names, { ...by, joiner: () => 'x' })
  })
})

describe('transformed values', () => {
  const tries = store({ key: string, value: double })

  test('the function sees deleted rows, its stores and tables, and the serde fits what it gives', () => {
    const out = table.transformValues('t', {
      stores: { tries },
      tables: { byNumber },
      serde: json,
      transform: (customer, id, context) => {
        expectTypeOf(customer).toEqualTypeOf<Customer | null>()
        expectTypeOf(id).toEqualTypeOf<string>()
        expectTypeOf(context.stores.tries.get(id)).toEqualTypeOf<number | undefined>()
        expectTypeOf(context.tables.byNumber.get(1n)).toEqualTypeOf<Customer | undefined>()
        expectTypeOf(context.offset).toEqualTypeOf<number>()
        // @ts-expect-error the row of its update is all that it gives
        context.forward(id, 1)
        return customer === null ? null : { length: customer.name.length }
      },
      punctuators: [{ type: 'stream-time', every: '1s', punctuate: (_, { stores }) => stores.tries.put('a', 1) }],
    })
    expectTypeOf(out).toEqualTypeOf<KTable<string, { length: number } | null>>()
    const always = table.transformValues('t', { serde: string, transform: (customer) => customer?.name ?? 'gone' })
    expectTypeOf(always).toEqualTypeOf<KTable<string, string>>()
    // @ts-expect-error a number is no text
    table.transformValues('t', { serde: string, transform: () => 1 })
    // @ts-expect-error the row may be deleted
    table.transformValues('t', { serde: string, transform: (customer) => customer.name })
    // @ts-expect-error the serde is missing
    table.transformValues('t', { transform: () => 'x' })
    // @ts-expect-error the name is missing
    table.transformValues({ serde: string, transform: () => 'x' })
    // @ts-expect-error a row does not wait
    table.transformValues('t', { serde: string, transform: async () => 'x' })
  })
})
