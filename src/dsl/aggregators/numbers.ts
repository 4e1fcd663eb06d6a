/** Aggregators of numbers, and of what else has an order. */

import { deserializeWith, serializeWith } from '../../common/bytes.ts'
import { StreamError } from '../../common/errors.ts'
import { double } from '../../serde/double.ts'
import type { AnySerde, Serde } from '../../serde/serde.ts'
import { checked, fromFirst, type ReadyAggregator } from './ready.ts'

/**
 * The sum. Numbers add up as doubles do: NaN makes the sum NaN, and beyond 2^53 it loses precision. With a serde of bigints (`int64`) the
 * values are bigints; beyond 64 bits `int64` does not serialize. What is no number fails the record with PROCESSING.
 * @example orders.groupByKey().aggregate('revenue', sum(order => order.amount))
 * @example orders.groupByKey().aggregate('cents', sum(order => order.cents, int64))
 */
export function sum<V>(of: (value: V) => number): ReadyAggregator<V, number>
export function sum<V>(of: (value: V) => bigint, serde: Serde<bigint>): ReadyAggregator<V, bigint>
export function sum<V>(of: (value: V) => number | bigint, serde?: Serde<bigint>): Untyped<V> {
  const [zero, type, stored] = serde === undefined ? ([0, 'number', double] as const) : ([0n, 'bigint', serde] as const)
  // Both of one type.
  const plus = (one: number | bigint, other: number | bigint) => (one as number) + (other as number)
  return Object.freeze({
    init: () => zero,
    add: (aggregate: number | bigint, value: V) => plus(aggregate, checked(of(value), type, 'sum')),
    merge: plus,
    serde: stored as AnySerde,
  })
}

// biome-ignore lint/suspicious/noExplicitAny: behind overloads that say which type it is.
type Untyped<V> = ReadyAggregator<V, any>

/** What `mean` keeps. */
export interface Mean {
  /** Values so far. */
  readonly count: number
  readonly sum: number
  readonly mean: number
}

/**
 * The mean, with the count and the sum that it is made of, as doubles: NaN makes it NaN. There is none of no values: a key
 * without records has no row. What is no number fails the record with PROCESSING.
 * @example readings.groupByKey().windowedBy(hourly).aggregate('mean', mean(reading => reading.celsius))
 */
export function mean<V>(of: (value: V) => number): ReadyAggregator<V, Mean> {
  return Object.freeze({
    init: () => meanOf(0, 0),
    add: ({ count, sum }: Mean, value: V) => meanOf(count + 1, sum + checked(of(value), 'number', 'mean')),
    merge: (one: Mean, other: Mean) => meanOf(one.count + other.count, one.sum + other.sum),
    serde: meanSerde,
  })
}

function meanOf(count: number, sum: number): Mean {
  return { count, sum, mean: sum / count }
}

/** Count and sum, 8 bytes each, as `double` has them. */
const meanSerde: Serde<Mean> = Object.freeze({
  format: 'mean',
  primitive: false,
  serialize: serializeWith(({ count, sum }: Mean, target) => {
    const at = target.reserve(16)
    target.buffer.writeDoubleBE(count, at)
    target.length = target.buffer.writeDoubleBE(sum, at + 8)
  }),
  deserialize: deserializeWith((source, start, end) => {
    if (end - start === 16) return meanOf(source.readDoubleBE(start), source.readDoubleBE(start + 8))
    throw new StreamError('DESERIALIZATION', `a mean has 16 bytes, not ${end - start}`)
  }),
})

type Ordered = number | bigint | string

/**
 * The least value, by `<`. NaN counts only while there is nothing else. Numbers need no serde; bigints and strings come with theirs. A key without
 * records has no row. What has no order (null, undefined, an object) fails the record with PROCESSING.
 * @example quotes.groupByKey().aggregate('low', min(quote => quote.price))
 */
export function min<V>(of: (value: V) => number): ReadyAggregator<V, number>
export function min<V, C extends Ordered>(of: (value: V) => C, serde: Serde<C>): ReadyAggregator<V, C>
export function min<V>(of: (value: V) => Ordered, serde: AnySerde = double): Untyped<V> {
  return extreme(of, serde, (a, b) => a < b, 'min')
}

/**
 * The greatest value, by `>`; else as `min`.
 * @example quotes.groupByKey().aggregate('high', max(quote => quote.price))
 */
export function max<V>(of: (value: V) => number): ReadyAggregator<V, number>
export function max<V, C extends Ordered>(of: (value: V) => C, serde: Serde<C>): ReadyAggregator<V, C>
export function max<V>(of: (value: V) => Ordered, serde: AnySerde = double): Untyped<V> {
  return extreme(of, serde, (a, b) => a > b, 'max')
}

function extreme<V>(
  of: (value: V) => Ordered,
  serde: AnySerde,
  before: (a: Ordered, b: Ordered) => boolean,
  name: string,
): Untyped<V> {
  const ordered = (value: V): Ordered => {
    const taken = of(value)
    if (typeof taken === 'bigint' || typeof taken === 'string') return taken
    return checked(taken, 'number', name)
  }
  const better = (best: Ordered, other: Ordered): Ordered => (Number.isNaN(best) || before(other, best) ? other : best)
  const add = (best: Ordered, value: V): Ordered => better(best, ordered(value))
  return fromFirst<V, Ordered>(ordered, add, better, serde)
}
