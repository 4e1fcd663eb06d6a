import fc from 'fast-check'
import { defineTopology, json, string, topic, Windows } from 'streamctl'
import { createTestDriver } from 'streamctl/testing'
import { expect, test } from 'vitest'
import { approxCountDistinct, type Distinct } from '../../../src/dsl/aggregators/distinct.ts'

type Id = string | number | bigint | boolean | null
const distinct = approxCountDistinct((id: Id) => id)
const of = (ids: readonly Id[]): Distinct => ids.reduce(distinct.add, distinct.init())

test('few values are counted exactly, by their texts, and null is none', () => {
  const ids = fc.oneof(fc.integer({ min: -20, max: 20 }), fc.constantFrom('a', 'b', '7', true, 7n, null))
  fc.assert(
    fc.property(fc.array(ids, { maxLength: 40 }), fc.array(ids, { maxLength: 40 }), (one, other) => {
      const all = new Set([...one, ...other].filter((id) => id !== null).map(String))
      expect(distinct.merge(of(one), of(other)).estimate).toBe(all.size)
      expect(of([...one, ...other]).estimate).toBe(all.size)
    }),
  )
})

test('what was given out never changes', () => {
  const before = of(['a'])
  const after = distinct.add(before, 'b')
  expect([before.estimate, after.estimate, distinct.init().estimate]).toEqual([1, 2, 0])
  expect(distinct.add(after, 'b')).toBe(after)
})

test('it comes back from its bytes, three for each of few values and all registers for many', () => {
  for (const count of [0, 1, 100, 1300, 5000]) {
    const kept = of(Array.from({ length: count }, (_, i) => i))
    const bytes = distinct.serde.serialize(kept)
    expect(distinct.serde.deserialize(bytes).registers).toEqual(kept.registers)
    if (count <= 100) expect(bytes.length).toBeLessThanOrEqual(3 + 3 * count)
    expect(bytes.length).toBeLessThanOrEqual(3 + 4096)
  }
  expect(distinct.serde.serialize(of(['a'])).toString('hex')).toBe('010c00' + '0ea601')
})

test.each([
  ['nothing', ''],
  ['another version', '020c00'],
  ['another precision', '010a00'],
  ['half a register', '010c000001'],
  ['too few registers', '010c0100'],
])('bytes that are %s do not read', (_, hex) => {
  expect(() => distinct.serde.deserialize(Buffer.from(hex, 'hex'))).toThrow(
    expect.objectContaining({ code: 'DESERIALIZATION' }),
  )
})

test.each([3, 17, 12.5, Number.NaN, '12'])('a precision of %s is refused', (precision) => {
  expect(() => approxCountDistinct((id: string) => id, { precision: precision as number })).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(String(precision)) }),
  )
})

test('counts per session that grows together, and after a restart', async () => {
  const visits = topic('visits', { key: string, value: json<{ readonly user?: string | null }>() })
  const output = topic('output', { key: string, value: json<number>() })
  const topology = defineTopology('visitors', (b) => {
    b.stream(visits)
      .groupByKey()
      .windowedBy(Windows.session(10, { grace: 100 }))
      .aggregate(
        'visitors',
        approxCountDistinct((visit) => visit.user as string),
      )
      .toStream()
      .map((seen, { key }) => [key, seen?.estimate ?? 0])
      .to(output)
  })
  const driver = await createTestDriver(topology)
  const visit = async (user: string | null, time: number) => {
    await driver.send(visits, 'page', { user }, time)
    return driver.read(output).map(({ value }) => value)
  }
  expect(await visit('ada', 0)).toEqual([1])
  expect(await visit('bob', 20)).toEqual([1])
  await driver.restart()
  expect(await visit(null, 10)).toEqual([0, 0, 2])
  expect(await visit('ada', 15)).toEqual([0, 2])
  await expect(driver.send(visits, 'page', {}, 16)).rejects.toMatchObject({
    code: 'PROCESSING',
    message: expect.stringContaining('approxCountDistinct was given undefined'),
  })
  await driver.close()
})
