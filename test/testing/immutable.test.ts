import { bytes, defineTopology, json, type Serde, string, topic } from 'streamctl'
import { expect, test } from 'vitest'
import { createTestDriver } from '../../src/testing/driver.ts'
import { withFrozenValues } from '../../src/testing/immutable.ts'
import type { SourceNode } from '../../src/topology/node.ts'

interface Deep {
  readonly list: { n: number }[]
}

const input = topic('input', { key: string, value: json<Deep>() })
const output = topic('output', { key: string, value: json })

test('what is read is frozen all the way down; the topology given stays as it is', async () => {
  const seen: Deep[] = []
  const topology = defineTopology('t', (b) => {
    b.stream(input)
      .peek((value) => void seen.push(value))
      .groupByKey()
      .reduce('last', (last, value) => {
        seen.push(last)
        return value
      })
  })
  const driver = await createTestDriver(topology)
  await driver.send(input, 'a', { list: [{ n: 1 }] })
  await driver.send(input, 'a', { list: [{ n: 2 }] })
  await driver.close()
  expect(seen.map(({ list }) => list[0]?.n)).toEqual([1, 2, 1])
  for (const value of seen) {
    expect([value, value.list, value.list[0]].map(Object.isFrozen)).toEqual([true, true, true])
  }
  expect((topology.nodes[0] as SourceNode).value).toBe(input.value)
})

test('the same serde stays the same, json as it stands and the object of a class are serdes too', () => {
  class Upper implements Serde<string> {
    readonly format = 'upper'
    readonly primitive = false
    serialize(value: string): Buffer {
      return Buffer.from(value.toUpperCase())
    }
    deserialize(read: Buffer): string {
      return read.toString()
    }
  }
  const upper = topic('upper', { key: string, value: new Upper() })
  const frozen = withFrozenValues(
    defineTopology('t', (b) => {
      b.stream(input).to(input)
      b.stream(output)
      b.stream(upper)
    }),
  )
  const sources = frozen.nodes.filter((node): node is SourceNode => node.kind === 'source')
  const [one, bare, own] = sources as [SourceNode, SourceNode, SourceNode]
  const sink = frozen.nodes.find((node) => node.kind === 'sink')
  expect(sink?.value).toBe(one.value)
  expect(sink?.key).toBe(one.key)
  expect(Object.isFrozen(bare.value.deserialize(Buffer.from('{"a":[]}')))).toBe(true)
  expect(own.value.deserialize(own.value.serialize('a'))).toBe('A')
})

test('bytes stay bytes, and a value of a class is left alone', async () => {
  class Money {
    cents: number
    constructor(cents: number) {
      this.cents = cents
    }
  }
  const money: Serde<Money> = { ...json<Money>(), deserialize: (read) => new Money(Number(read)) }
  const raw = topic('raw', { key: string, value: bytes })
  const coins = topic('coins', {
    key: string,
    value: { ...money, serialize: ({ cents }) => Buffer.from(String(cents)) },
  })
  const seen: unknown[] = []
  const topology = defineTopology('t', (b) => {
    b.stream(raw).foreach((value) => void seen.push(value.toString()))
    b.stream(coins).foreach((value) => void seen.push(++value.cents))
  })
  const driver = await createTestDriver(topology)
  await driver.send(raw, 'a', Buffer.from('abc'))
  await driver.send(coins, 'a', new Money(5))
  await driver.close()
  expect(seen).toEqual(['abc', 6])
})

test('an initializer that gives the same object to every key fails when it is changed', async () => {
  const shared = { n: 0 }
  const topology = defineTopology('t', (b) => {
    b.stream(input)
      .groupByKey()
      .aggregate('n', {
        init: () => shared,
        add: (total) => {
          total.n++
          return total
        },
        serde: json,
      })
  })
  const driver = await createTestDriver(topology)
  await expect(driver.send(input, 'a', { list: [] })).rejects.toMatchObject({
    code: 'PROCESSING',
    message: expect.stringContaining("n: Cannot assign to read only property 'n'"),
    hint: expect.stringContaining('immutable'),
  })
  await driver.close()
})
