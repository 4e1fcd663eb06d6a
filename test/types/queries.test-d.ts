import { describe, expectTypeOf, test } from 'vitest'
import type { Windowed } from '../../src/common/windows.ts'
import type { StoreLookup } from '../../src/runtime/queries.ts'
import { string } from '../../src/serde/string.ts'
import type {
  KeyedRow,
  QueryableKeyValueStore,
  QueryableSessionStore,
  QueryableVersionedStore,
  QueryableWindowStore,
} from '../../src/state/read/queryable.ts'

declare const store: StoreLookup

interface Found<V> {
  readonly value: V
  readonly timestamp: number
}

describe('stores that are read', () => {
  test('have the methods of their kind, typed by key and value', () => {
    const balances = store<string, number>('balances')
    expectTypeOf(balances).toEqualTypeOf<QueryableKeyValueStore<string, number>>()
    expectTypeOf(store<string, number>('balances', 'key-value')).toEqualTypeOf(balances)
    expectTypeOf(balances.get('a')).resolves.toExtend<Found<number> | undefined>()
    expectTypeOf(balances.range('a', undefined)).toEqualTypeOf<AsyncIterable<KeyedRow<string, number>>>()
    balances.prefixScan('a', string)
    // @ts-expect-error the key is a text
    void balances.get(1)
    // @ts-expect-error a serde of another prefix
    balances.prefixScan(1, string)
    // @ts-expect-error it has no windows
    balances.fetch('a', 1)
    // @ts-expect-error it is to be read alone
    balances.put('a', 1)

    const hourly = store<string, bigint>('hourly', 'window')
    expectTypeOf(hourly).toEqualTypeOf<QueryableWindowStore<string, bigint>>()
    expectTypeOf(hourly.fetch('a', 0)).resolves.toExtend<Found<bigint> | undefined>()
    expectTypeOf(hourly.fetch('a', 0, 1)).toEqualTypeOf<AsyncIterable<KeyedRow<Windowed<string>, bigint>>>()
    // @ts-expect-error it is read by window
    void hourly.get('a')
    // @ts-expect-error a time is a number
    hourly.fetchAll(new Date(), new Date())

    const sessions = store<string, bigint>('sessions', 'session', { partition: 1 })
    expectTypeOf(sessions).toEqualTypeOf<QueryableSessionStore<string, bigint>>()
    expectTypeOf(sessions.fetch('a')).toEqualTypeOf<AsyncIterable<KeyedRow<Windowed<string>, bigint>>>()
    // @ts-expect-error sessions have no fixed start
    sessions.fetchAll(0, 1)

    const names = store<string, string>('names', 'versioned')
    expectTypeOf(names).toEqualTypeOf<QueryableVersionedStore<string, string>>()
    expectTypeOf(names.get('a', 5)).resolves.toExtend<Found<string> | undefined>()
    // @ts-expect-error a time is a number
    void names.get('a', '5')

    // @ts-expect-error no such kind
    store('balances', 'table')
    // @ts-expect-error a row has to be awaited
    void balances.get('a').value
  })
})
