import fc from 'fast-check'
import { double, int64, json, type Serde, string, windowed } from 'streamctl'
import { expect, test } from 'vitest'
import { ByteTarget, copyRange, readerOf, writerOf } from '../../src/common/bytes.ts'

const any = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))

test('what is appended stays as it was while the target grows, and goes with a clear', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(any, fc.string({ unit: 'binary' }))), (parts) => {
      const target = new ByteTarget(1)
      for (const part of parts) typeof part === 'string' ? target.writeText(part) : target.writeBytes(part)
      const whole = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))
      expect(target.length).toBe(whole.length)
      const copy = target.copy()
      target.clear()
      target.writeText('other')
      expect(copy).toEqual(whole)
      expect(target.copy().toString()).toBe('other')
    }),
  )
})

test('memory that a large value took is given back at the next clear, what is common is kept', () => {
  const target = new ByteTarget()
  target.writeBytes(Buffer.alloc(1 << 20))
  target.clear()
  expect(target.buffer.length).toBeGreaterThanOrEqual(1 << 20)
  target.writeBytes(Buffer.alloc(9 << 20))
  target.clear()
  expect(target.buffer.length).toBeLessThan(1 << 20)
})

test('a range is copied to its place and nowhere else', () => {
  fc.assert(
    fc.property(any, fc.nat(), fc.nat(), fc.nat(50), (source, a, b, at) => {
      const [start, end] = [a % (source.length + 1), b % (source.length + 1)].sort((x, y) => x - y) as [number, number]
      const target = Buffer.alloc(at + end - start + 3, 7)
      copyRange(source, start, end, target, at)
      expect(target).toEqual(Buffer.concat([Buffer.alloc(at, 7), source.subarray(start, end), Buffer.alloc(3, 7)]))
    }),
  )
})

// biome-ignore lint/suspicious/noExplicitAny: serdes of every type.
const samples: readonly (readonly [Serde<any>, unknown])[] = [
  [string, 'zwölf Boxkämpfer \u{1f94a}'],
  [json(), { a: [1, null, 'ü'] }],
  [int64, -(2n ** 63n)],
  [double, -0.5],
  [windowed(string, '1m'), { key: 'k', start: 60_000, end: 120_000 }],
]

test.each(samples)('$format: in place and apart, the bytes and the value are the same', (serde, value) => {
  const target = new ByteTarget()
  target.writeText('before')
  writerOf(serde)(value, target)
  const bytes = serde.serialize(value)
  expect(target.copy()).toEqual(Buffer.concat([Buffer.from('before'), bytes]))
  const larger = Buffer.concat([Buffer.from('xx'), bytes, Buffer.from('yy')])
  expect(readerOf(serde)(larger, 2, 2 + bytes.length)).toEqual(serde.deserialize(bytes))
  expect(serde.deserialize(bytes)).toEqual(value)
})

test("a serde made of another one's parts reads and writes with what it has replaced", () => {
  const upper: Serde<string> = {
    ...string,
    serialize: (text) => Buffer.from(text.toUpperCase()),
    deserialize: (bytes) => bytes.toString().toLowerCase(),
  }
  const target = new ByteTarget()
  writerOf(upper)('abc', target)
  expect(target.copy().toString()).toBe('ABC')
  expect(readerOf(upper)(Buffer.from('xABCx'), 1, 4)).toBe('abc')
})

test('a value that serializes another one with the same serde while it is written leaves both whole', () => {
  const inner = json<unknown>()
  const value = { toJSON: () => ({ hash: inner.serialize({ a: 1 }).toString() }) }
  expect(inner.serialize(value).toString()).toBe('{"hash":"{\\"a\\":1}"}')
  const wrapped: Serde<string> = { ...string, serialize: (text) => string.serialize(`${string.serialize(text)}!`) }
  expect(wrapped.serialize('a').toString()).toBe('a!')
})

test('a serde that serializes with another one of its kind, and one that fails half-way, leave no trace', () => {
  const inner: Serde<string> = { ...string, serialize: (text) => string.serialize(string.serialize(text).toString()) }
  const key = windowed(inner, '1s')
  expect(key.serialize({ key: 'k', start: 0, end: 1000 }).length).toBe(9)
  expect(() => windowed(string, '1s').serialize({ key: '\ud800', start: 0, end: 1000 })).toThrow()
  expect(string.serialize('next').toString()).toBe('next')
})
