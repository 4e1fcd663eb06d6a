import fc from 'fast-check'
import { defineTopology, double, int64, json, string, topic, Windows } from 'streamctl'
import { createTestDriver } from 'streamctl/testing'
import { expect, test } from 'vitest'
import { max, mean, min, sum } from '../../../src/dsl/aggregators/numbers.ts'
import { expectModel, folded } from './support.ts'

interface Value {
  readonly n: number
}
const whole = fc.integer({ min: -50, max: 50 })
const values = whole.map((n) => ({ n }))
const n = ({ n }: Value): number => n

test('sum and mean are those of the list', () => {
  const total = (list: readonly Value[]) => list.reduce((all, { n }) => all + n, 0)
  expectModel(sum(n), values, total)
  expectModel(mean(n), values, (list) => ({
    count: list.length,
    sum: total(list),
    mean: total(list) / list.length,
  }))
})

test('a sum of bigints is exact, and too large a one does not serialize', () => {
  const big = fc.bigInt({ min: -(2n ** 58n), max: 2n ** 58n })
  expectModel(
    sum((value: bigint) => value, int64),
    big,
    (list) => list.reduce((all, value) => all + value, 0n),
  )
  expect(() =>
    folded(
      sum((value: bigint) => value, int64),
      [2n ** 62n, 2n ** 62n],
    ),
  ).toThrow('64 bits')
})

test('min and max are those of the list, of numbers, bigints and strings', () => {
  const least = <T>(list: readonly T[]) => list.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))[0] as T
  const most = <T>(list: readonly T[]) => list.toSorted((a, b) => (a < b ? 1 : a > b ? -1 : 0))[0] as T
  expectModel(
    min((value: number) => value),
    whole,
    least,
  )
  expectModel(
    max((value: number) => value),
    whole,
    most,
  )
  expectModel(
    min((value: bigint) => value, int64),
    whole.map(BigInt),
    least,
  )
  expectModel(
    max((value: string) => value, string),
    fc.string({ minLength: 0, maxLength: 3 }),
    most,
  )
})

test('NaN makes a sum and a mean NaN; of min and max it is only the last resort', () => {
  expect(folded(sum(n), [{ n: 1 }, { n: Number.NaN }, { n: 2 }])).toBeNaN()
  expect(folded(mean(n), [{ n: 1 }, { n: Number.NaN }]).mean).toBeNaN()
  for (const list of [
    [Number.NaN, 3, 5],
    [3, Number.NaN, 5],
    [5, 3, Number.NaN],
  ]) {
    expect(
      folded(
        min((value: number) => value),
        list,
      ),
    ).toBe(3)
    expect(
      folded(
        max((value: number) => value),
        list,
      ),
    ).toBe(5)
  }
  expect(
    folded(
      min((value: number) => value),
      [Number.NaN],
    ),
  ).toBeNaN()
})

test('what is no number fails with a word for it', () => {
  const missing = (value: { readonly n?: number }) => value.n as number
  expect(() => sum(missing).add(0, {})).toThrow('sum was given undefined, not a number')
  expect(() => sum(() => 1 as never, int64).add(0n, {})).toThrow('sum was given number, not a bigint')
  expect(() => mean(() => null as never).add({ count: 0, sum: 0, mean: 0 }, {})).toThrow('mean was given null')
  expect(() => min(() => ({}) as never).add(0, {})).toThrow('min was given object, not a number')
  expect(() => max(missing).add(0, {})).toThrow('max was given undefined')
  expect(() => mean(n).serde.deserialize(Buffer.alloc(3))).toThrow('a mean has 16 bytes, not 3')
})

test('in a topology: plain, in windows and in sessions that become one', async () => {
  const input = topic('input', { key: string, value: json<Value>() })
  const output = topic('output', { key: string, value: double })
  const topology = defineTopology('numbers', (b) => {
    const grouped = b.stream(input).groupByKey()
    grouped.aggregate('total', sum(n)).toStream().to(output)
    grouped
      .windowedBy(Windows.tumbling(10, { grace: 100 }))
      .aggregate('lowest', min(n))
      .toStream()
      .map((low, { key, start }) => [`${key}@${start}`, low])
      .to(output)
    grouped
      .windowedBy(Windows.session(10, { grace: 100 }))
      .aggregate('mean', mean(n))
      .toStream()
      .map((all, { key, start, end }) => [`${key}@${start}-${end}`, (all?.mean ?? null) as number])
      .to(output)
  })
  const driver = await createTestDriver(topology)
  const send = async (value: number, timestamp: number) => {
    await driver.send(input, 'k', { n: value }, timestamp)
    return driver.read().map(({ key, value }) => `${key}=${value}`)
  }
  expect(await send(4, 5)).toEqual(['k=4', 'k@0=4', 'k@5-5=4'])
  expect(await send(2, 25)).toEqual(['k=6', 'k@20=2', 'k@25-25=2'])
  expect(await send(9, 15)).toEqual(['k=15', 'k@10=9', 'k@5-5=null', 'k@25-25=null', 'k@5-25=5'])
  await driver.close()
})
