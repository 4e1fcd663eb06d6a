/** Sources, sinks and what is done with records one by one: what compiles, and what does not. */

import { describe, expectTypeOf, test } from 'vitest'
import type { RecordContext } from '../../src/common/record-context.ts'
import { defineTopology } from '../../src/dsl/define.ts'
import type { KStream } from '../../src/dsl/facade/kstream.ts'
import type { KTable } from '../../src/dsl/facade/ktable.ts'
import type { ProcessorRecord } from '../../src/dsl/facade/processor.ts'
import { store } from '../../src/dsl/store.ts'
import { otherwise } from '../../src/dsl/types.ts'
import { double } from '../../src/serde/double.ts'
import { int64 } from '../../src/serde/int64.ts'
import { json } from '../../src/serde/json.ts'
import { string } from '../../src/serde/string.ts'
import { topic } from '../../src/serde/topic.ts'
import { topicPattern } from '../../src/serde/topic-pattern.ts'
import type { Topology } from '../../src/topology/node.ts'
import {
  amounts,
  type Customer,
  counts,
  customers,
  numbered,
  type Order,
  orders,
  type Paid,
  payments,
  stream,
  table,
} from './given.ts'

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
        expectTypeOf(b.table(customers, { store: 'k', changelog: 'source' })).toEqualTypeOf<
          KTable<string, Customer | null>
        >()
        // @ts-expect-error a changelog is the table's own or its source
        b.table(customers, { store: 'l', changelog: 'topic' })
        // @ts-expect-error a stream has no topic of its rows
        b.stream(customers).toTable('m', { changelog: 'source' })
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
