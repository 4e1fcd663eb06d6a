import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { GlobalRows } from '../../../src/state/global-rows.ts'
import { queryableGlobal } from '../../../src/state/read/global.ts'
import { json, text } from '../codecs.ts'

interface Value {
  n: number
}

const value = json<Value>()

async function list<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const row of rows) found.push(row)
  return found
}

const compare = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

describe('queries of a global table', () => {
  test('are those of a key-value store, on random rows', async () => {
    const keys = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 3 }), fc.constantFrom('', 'a', 'ab', 'b', 'ÿ'))
    await fc.assert(
      fc.asyncProperty(fc.dictionary(keys, fc.nat(9)), keys, keys, async (entries, low, high) => {
        const rows = new GlobalRows<string, Value>(text)
        for (const [key, n] of Object.entries(entries)) rows.put(key, { n }, n)
        const table = queryableGlobal({ name: 'g', key: text, value, rows: () => rows })
        const expected = Object.entries(entries)
          .map(([key, n]) => ({ key, value: { n }, timestamp: n }))
          .sort((a, b) => compare(a.key, b.key))
        const between = expected.filter(({ key }) => compare(key, low) >= 0 && compare(key, high) <= 0)
        expect(await list(table.all())).toEqual(expected)
        expect(await list(table.reverseAll())).toEqual(expected.toReversed())
        expect(await list(table.range(low, high))).toEqual(between)
        expect(await list(table.reverseRange(low, high))).toEqual(between.toReversed())
        expect(await list(table.range(undefined, high))).toEqual(expected.filter(({ key }) => compare(key, high) <= 0))
        expect(await list(table.prefixScan(low, text))).toEqual(expected.filter(({ key }) => key.startsWith(low)))
        expect(await table.approximateNumEntries()).toBe(expected.length)
        const { n } = { n: entries[low] }
        expect((await table.get(low))?.value.n).toBe(Object.hasOwn(entries, low) ? n : undefined)
      }),
    )
  })

  test('keys that are objects are found and ordered by their bytes', async () => {
    const rows = new GlobalRows<{ readonly id: number }, Value>(json())
    for (const id of [2, 10, 1]) rows.put({ id }, { n: id }, id)
    const table = queryableGlobal({ name: 'g', key: json<{ readonly id: number }>(), value, rows: () => rows })
    expect((await list(table.all())).map(({ key }) => key.id)).toEqual([10, 1, 2])
    expect(await table.get({ id: 2 })).toEqual({ value: { n: 2 }, timestamp: 2 })
  })

  test('a scan has the rows of its beginning, however many, and each reader rows of his own', async () => {
    const rows = new GlobalRows<string, Value>(text)
    const key = (n: number): string => String(n).padStart(5, '0')
    for (let n = 0; n < 10_000; n++) rows.put(key(n), { n }, n)
    const table = queryableGlobal({ name: 'g', key: text, value, rows: () => rows })
    const scan = table.all()[Symbol.asyncIterator]()
    const begun = scan.next()
    for (let n = 0; n < 20_000; n++) rows.put(key(n), n % 2 === 0 ? null : { n: -1 }, n)
    let count = 0
    for (let next = await begun; next.done !== true; next = await scan.next()) {
      if (next.value.value.n !== count) expect(next.value).toBe(count)
      count++
    }
    expect(count).toBe(10_000)
    for (const row of [await table.get(key(1)), ...(await list(table.range(key(1), key(1))))]) {
      expect(row).toMatchObject({ value: { n: -1 }, timestamp: 1 })
      if (row !== undefined) row.value.n = 5
    }
    expect(rows.get(key(1))).toEqual({ value: { n: -1 }, timestamp: 1 })
    await expect(table.get(undefined as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})
