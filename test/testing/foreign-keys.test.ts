/** What joins by foreign keys come to when commits and crashes of single tasks fall between their steps: that of the rows there are. */

import fc from 'fast-check'
import { defineTopology, double, json, string, topic, Windows } from 'streamctl'
import { createTestDriver, type TestDriver } from 'streamctl/testing'
import { describe, expect, test } from 'vitest'

interface Order {
  readonly buyer: string | null
  readonly n: number
}
const orders = topic('orders', { key: string, value: json<Order>() })
const buyers = topic('buyers', { key: string, value: json<number>() })
const results = topic('results', { key: string, value: json<readonly [number, number | null]>() })

const options = {
  name: 'joined',
  foreignKey: (order: Order) => order.buyer,
  joiner: (order: Order, buyer: number | null) => [order.n, buyer] as const,
  serde: results.value,
}

type Kept = 'kept' | 'not kept'

function topologyOf(method: 'join' | 'leftJoin', kept: Kept) {
  return defineTopology('t', (b) => {
    const [left, right] = [b.table(orders, { store: 'orders' }), b.table(buyers, { store: 'buyers' })]
    const by = kept === 'kept' ? options : { ...options, serde: undefined }
    const joined = method === 'join' ? left.join(right, by) : left.leftJoin(right, by)
    joined.toStream().to(results)
  })
}

type Step =
  | { readonly order: string; readonly value: Order | null }
  | { readonly buyer: string; readonly value: number | null }
  | { readonly end: 'commit' | 'crash'; readonly task: number | null }

const buyer = fc.constantFrom('b1', 'b2', 'b3')
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      order: fc.constantFrom('o1', 'o2', 'o3', 'o4'),
      value: fc.option(fc.record({ buyer: fc.option(buyer), n: fc.nat(2) })),
    }),
  },
  { weight: 3, arbitrary: fc.record({ buyer, value: fc.option(fc.nat(4)) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      end: fc.constantFrom('commit' as const, 'commit' as const, 'crash' as const),
      task: fc.option(fc.nat(11)),
    }),
  },
)

async function settled(driver: TestDriver): Promise<ReadonlyMap<string, unknown>> {
  while (!driver.isCommitted) await driver.commit()
  const last = new Map<string, unknown>()
  for (const { key, value } of driver.read(results)) {
    if (value === null) last.delete(String(key))
    else last.set(String(key), value)
  }
  return last
}

describe.each([
  ['join', 'kept'],
  ['join', 'not kept'],
  ['leftJoin', 'kept'],
  ['leftJoin', 'not kept'],
] as const)('%s, results %s', (method, kept) => {
  test('ends with what the rows say', { timeout: 60_000 }, async () => {
    const partitions = fc.record({ orders: fc.integer({ min: 1, max: 3 }), buyers: fc.integer({ min: 1, max: 3 }) })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 120, size: 'max' }), partitions, async (steps, partitions) => {
        const driver = await createTestDriver(topologyOf(method, kept), { commit: 'manual', partitions })
        const [left, right] = [new Map<string, Order>(), new Map<string, number>()]
        for (const [time, one] of steps.entries()) {
          if ('end' in one) {
            await driver[one.end](one.task === null ? undefined : driver.tasks[one.task % driver.tasks.length])
          } else if ('order' in one) {
            if (one.value === null) left.delete(one.order)
            else left.set(one.order, one.value)
            await driver.send(orders, one.order, one.value, time)
          } else {
            if (one.value === null) right.delete(one.buyer)
            else right.set(one.buyer, one.value)
            await driver.send(buyers, one.buyer, one.value, time)
          }
        }
        const expected = new Map<string, unknown>()
        for (const [key, { buyer, n }] of left) {
          const other = buyer === null ? undefined : right.get(buyer)
          if (other !== undefined || method === 'leftJoin') expected.set(key, [n, other ?? null])
        }
        const result = await settled(driver)
        await driver.close()
        expect(new Map([...result].sort())).toEqual(new Map([...expected].sort()))
      }),
      { numRuns: 100 },
    )
  })
})

describe('a result is taken back', () => {
  const one: Order = { buyer: 'b1', n: 1 }

  test.each<[string, (driver: TestDriver) => Promise<void>]>([
    [
      'when its row goes and comes again for nobody, in one transaction',
      async (driver) => {
        await driver.send(orders, 'o', null)
        await driver.send(orders, 'o', { buyer: 'b9', n: 2 })
      },
    ],
    [
      'when it comes again without a foreign key',
      async (driver) => {
        await driver.send(orders, 'o', null)
        await driver.send(orders, 'o', { buyer: null, n: 2 })
      },
    ],
    [
      'when both sides change at once',
      async (driver) => {
        await driver.send(buyers, 'b1', null)
        await driver.send(orders, 'o', { buyer: 'b1', n: 2 })
      },
    ],
  ])('%s', async (_, change) => {
    const driver = await createTestDriver(topologyOf('join', 'kept'), { commit: 'manual' })
    await driver.send(buyers, 'b1', 7)
    await driver.send(orders, 'o', one)
    expect(await settled(driver)).toEqual(new Map([['o', [1, 7]]]))
    await change(driver)
    while (!driver.isCommitted) await driver.commit()
    expect(driver.read(results).at(-1)).toMatchObject({ key: 'o', value: null })
    await driver.close()
  })
})

describe('one answer for each row, whatever its updates say was there before', () => {
  const answers = topic('results', { key: string, value: json<unknown>() })
  const shown = (driver: TestDriver) => driver.read(answers).map(({ key, value }) => `${key} ${JSON.stringify(value)}`)

  test('a table joined with its own filter: first it gives a row without the other half', async () => {
    const topology = defineTopology('t', (b) => {
      const table = b.table(orders, { store: 'orders' })
      const many = table.filter(({ n }) => n > 0)
      table
        .leftJoin(many, (order, big) => ({ ...order, big: big !== null }))
        .join(b.table(buyers, { store: 'buyers' }), {
          name: 'joined',
          foreignKey: ({ buyer }) => buyer,
          joiner: ({ big }, n) => [big, n],
          value: json<Order & { readonly big: boolean }>(),
        })
        .toStream()
        .to(answers)
    })
    const driver = await createTestDriver(topology)
    await driver.send(orders, 'few', { buyer: 'b', n: 0 })
    for (const key of ['o1', 'o2', 'o3']) await driver.send(orders, key, { buyer: 'b', n: 1 })
    driver.read()
    await driver.send(buyers, 'b', 1)
    expect(shown(driver)).toEqual(['few [false,1]', 'o1 [true,1]', 'o2 [true,1]', 'o3 [true,1]'])
    await driver.send(orders, 'o3', null)
    driver.read()
    await driver.send(buyers, 'b', 2)
    await driver.crash()
    await driver.send(buyers, 'b', 3)
    const three = ['few [false,2]', 'o1 [true,2]', 'o2 [true,2]']
    expect(shown(driver)).toEqual([...three, ...three.map((line) => line.replace('2]', '3]'))])
    await driver.close()
  })

  test('sessions: one that is written again comes without the one before', async () => {
    const clicks = topic('clicks', { key: string, value: string })
    const topology = defineTopology('t', (b) => {
      b.stream(clicks)
        .groupByKey()
        .windowedBy(Windows.session(10, { grace: 1000 }))
        .reduce('visits', (_, page) => page)
        .join(b.table(buyers, { store: 'buyers' }), {
          name: 'joined',
          foreignKey: (page) => page,
          joiner: (page, n) => [page, n],
        })
        .toStream()
        .map((value, { key, start, end }) => [`${key}@${start}-${end}`, value])
        .to(answers)
    })
    const driver = await createTestDriver(topology)
    for (const key of ['p', 'p', 'o', 'o']) await driver.send(clicks, key, 'home', 0)
    driver.read()
    await driver.send(buyers, 'home', 1)
    expect(shown(driver)).toEqual(['p@0-0 ["home",1]', 'o@0-0 ["home",1]'])
    await driver.send(clicks, 'o', 'home', 5)
    driver.read()
    await driver.send(buyers, 'home', 2)
    expect(shown(driver)).toEqual(['p@0-0 ["home",2]', 'o@0-5 ["home",2]'])
    await driver.close()
  })
})

test('0 and -0 are one key on both sides', async () => {
  const readings = topic('readings', { key: double, value: json<{ readonly at: number }>() })
  const places = topic('places', { key: double, value: string })
  const answers = topic('results', { key: double, value: json<unknown>() })
  const topology = defineTopology('t', (b) => {
    b.table(readings, { store: 'readings' })
      .leftJoin(b.table(places, { store: 'places' }), {
        name: 'joined',
        foreignKey: (_, key) => -key,
        joiner: ({ at }, place) => [at, place],
      })
      .toStream()
      .to(answers)
  })
  const driver = await createTestDriver(topology)
  await driver.send(places, 0, 'here')
  await driver.send(readings, 0, { at: 1 })
  await driver.send(places, 0, 'there')
  await driver.send(readings, -0, null)
  await driver.send(places, 0, 'nowhere')
  expect(driver.read(answers).map(({ value }) => value)).toEqual([[1, 'here'], [1, 'there'], null])
  await driver.close()
})
