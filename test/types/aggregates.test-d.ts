/** Groups, windows and what is made of them: what compiles, and what does not. */

import { describe, expectTypeOf, test } from 'vitest'
import type { ByteStore } from '../../src/common/byte-store.ts'
import type { Duration } from '../../src/common/time.ts'
import { type SessionWindows, type TimeWindows, type Windowed, Windows } from '../../src/common/windows.ts'
import { approxCountDistinct, type Distinct } from '../../src/dsl/aggregators/distinct.ts'
import { collect, first, last, topK } from '../../src/dsl/aggregators/lists.ts'
import { type Mean, max, mean, min, sum } from '../../src/dsl/aggregators/numbers.ts'
import { defineTopology } from '../../src/dsl/define.ts'
import type { CogroupedKStream } from '../../src/dsl/facade/cogrouped.ts'
import type { KGroupedStream } from '../../src/dsl/facade/grouped.ts'
import type { KStream } from '../../src/dsl/facade/kstream.ts'
import type { KTable } from '../../src/dsl/facade/ktable.ts'
import type { SessionWindowedKStream, TimeWindowedKStream } from '../../src/dsl/facade/windowed.ts'
import { store } from '../../src/dsl/store.ts'
import { double } from '../../src/serde/double.ts'
import { int64 } from '../../src/serde/int64.ts'
import { json } from '../../src/serde/json.ts'
import { sessionWindowed } from '../../src/serde/session-windowed.ts'
import { string } from '../../src/serde/string.ts'
import { topic } from '../../src/serde/topic.ts'
import { windowed } from '../../src/serde/windowed.ts'
import { type Customer, type Order, orders, stream, table } from './given.ts'

declare const bytes: ByteStore

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
    // @ts-expect-error storage is one of two, or a supplier
    grouped.count('g', { storage: 'ram' })
    // @ts-expect-error a supplier has a name
    grouped.count('g', { storage: { open: (): ByteStore => bytes } })
    // @ts-expect-error a supplier opens bytes
    grouped.count('g', { storage: { name: 'ours', open: () => 1 } })
    // @ts-expect-error a get is not async
    grouped.count('g', { storage: { name: 'ours', open: () => ({ ...bytes, get: async () => undefined }) } })
    expectTypeOf(grouped.count('g', { storage: { name: 'ours', open: async () => bytes } })).toEqualTypeOf<
      KTable<string, bigint>
    >()
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
