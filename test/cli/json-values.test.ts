import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromJson, fromText, headersFromJson, headersToJson, toJson } from '../../src/cli/json-values.ts'
import { avro } from '../../src/serde/avro.ts'
import { bytes } from '../../src/serde/bytes.ts'
import { double } from '../../src/serde/double.ts'
import { int64 } from '../../src/serde/int64.ts'
import { json } from '../../src/serde/json.ts'
import type { AnySerde } from '../../src/serde/serde.ts'
import { sessionWindowed } from '../../src/serde/session-windowed.ts'
import { string } from '../../src/serde/string.ts'
import { windowed } from '../../src/serde/windowed.ts'

/** What a value is after its way through JSON, serde and back. */
function roundTrip(serde: AnySerde, value: unknown): unknown {
  const read = serde.deserialize(serde.serialize(fromJson(serde, JSON.parse(toJson(value)))))
  return read
}

describe('every serde takes its own JSON form', () => {
  test.each<[string, AnySerde, fc.Arbitrary<unknown>]>([
    ['string', string, fc.string({ unit: 'grapheme' })],
    ['int64', int64, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
    ['double', double, fc.double()],
    ['bytes', bytes, fc.uint8Array().map((array) => Buffer.from(array))],
    // As JSON itself has it: -0 is 0 there.
    ['json', json, fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown)],
    [
      'windowed',
      windowed(int64, '1m'),
      fc
        .record({ key: fc.bigInt({ min: 0n, max: 2n ** 60n }), start: fc.nat() })
        .map(({ key, start }) => ({ key, start, end: start + 60_000 })),
    ],
  ])('%s', (_name, serde, values) => {
    fc.assert(
      fc.property(values, (value) => {
        const read = roundTrip(serde, value)
        if (Object.is(value, -0)) expect(read).toBe(0)
        else expect(read).toEqual(value)
      }),
    )
  })

  test('avro: longs, bytes, unions, defaults, and a record within itself', () => {
    const serde = avro(
      {
        type: 'record',
        name: 'Order',
        fields: [
          { name: 'id', type: 'long' },
          { name: 'raw', type: ['null', 'bytes'] },
          { name: 'note', type: ['null', 'string'], default: null },
          { name: 'unit', type: { type: 'enum', name: 'Unit', symbols: ['EUR', 'USD'] } },
          { name: 'sizes', type: { type: 'map', values: 'long' } },
          { name: 'next', type: ['null', 'Order'], default: null },
        ],
      } as const,
      { framing: 'none' },
    )
    const one = { id: 2n ** 62n, raw: Buffer.from([0, 255]), note: 'x', unit: 'EUR', sizes: { a: 1n }, next: null }
    expect(roundTrip(serde, { ...one, next: { ...one, id: 5n } })).toEqual({ ...one, next: { ...one, id: 5n } })
    const { note: _note, next: _next, ...short } = one
    expect(roundTrip(serde, short)).toEqual({ ...one, note: null })
    expect(() => fromJson(serde, { ...JSON.parse(toJson(one)), id: 1.5 })).toThrow('at id: a long is a whole number')
    expect(() => fromJson(serde, { ...JSON.parse(toJson(one)), ids: 1 })).toThrow('no field "ids"')
  })
})

test('what is not of the format is refused, with what was expected', () => {
  expect(() => fromJson(string, 5)).toThrow('a string was expected, not 5')
  expect(() => fromJson(int64, 1.5)).toThrow('a whole number')
  expect(() => fromJson(int64, 2 ** 53)).toThrow('a whole number')
  expect(() => fromJson(double, '1')).toThrow('a number was expected, not "1"')
  expect(() => fromJson(bytes, 'not base64!')).toThrow('base64')
  expect(fromJson(sessionWindowed(int64), { key: 5, start: 1, end: 2 })).toEqual({ key: 5n, start: 1, end: 2 })
  expect(() => fromJson(windowed(string, '1m'), 'k')).toThrow('{"key","start","end"}')
})

test('plain text is a string, bytes, or JSON of the serde', () => {
  expect(fromText(string, '5')).toBe('5')
  expect(fromText(bytes, 'ä')).toEqual(Buffer.from('ä'))
  expect(fromText(int64, '5')).toBe(5n)
  expect(fromText(json, '{"a":[1]}')).toEqual({ a: [1] })
  expect(fromText(json, 'null')).toBeNull()
  expect(() => fromText(json, 'nope')).toThrow('json was expected as JSON, not "nope"')
})

test('__proto__ stays data', () => {
  const text = '{"__proto__":{"polluted":true},"a":1}'
  expect(toJson(JSON.parse(text))).toBe(text)
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
})

test('headers keep their bytes, their repeats, and null', () => {
  const headers = [
    { key: 'a', value: Buffer.from('x') },
    { key: 'a', value: Buffer.from([0xff]) },
    { key: 'b', value: null },
    { key: '__proto__', value: Buffer.from('y') },
  ]
  const shown = JSON.parse(toJson(headersToJson(headers)))
  expect(headersFromJson(shown)).toEqual(headers)
  expect(() => headersFromJson([])).toThrow('headers as an object')
})
