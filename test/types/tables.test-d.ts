/** Tables, and joins of all kinds: what compiles, and what does not. */

import { describe, expectTypeOf, test } from 'vitest'
import { type Windowed, Windows } from '../../src/common/windows.ts'
import { defineTopology } from '../../src/dsl/define.ts'
import type { GlobalKTable } from '../../src/dsl/facade/global-ktable.ts'
import type { KGroupedTable } from '../../src/dsl/facade/grouped-table.ts'
import type { KStream } from '../../src/dsl/facade/kstream.ts'
import type { KTable } from '../../src/dsl/facade/ktable.ts'
import { store } from '../../src/dsl/store.ts'
import { Suppressed } from '../../src/dsl/suppressed.ts'
import { double } from '../../src/serde/double.ts'
import { int64 } from '../../src/serde/int64.ts'
import { json } from '../../src/serde/json.ts'
import { string } from '../../src/serde/string.ts'
import { byNumber, type Customer, customers, type Order, orders, type Paid, stream, table } from './given.ts'

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
    // Without a serde nothing is kept, and the result is what the joiner gives.
    const unkept = table.join(names, { ...by, joiner: (_, name) => ({ name }) })
    expectTypeOf(unkept).toEqualTypeOf<KTable<string, { name: string } | null>>()
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
