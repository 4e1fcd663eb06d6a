import fc from 'fast-check'
import { expect, expectTypeOf, test } from 'vitest'
import { json } from '../../src/serde/json.ts'
import type { Serde } from '../../src/serde/serde.ts'

const read = (text: string): unknown => json.deserialize(Buffer.from(text))

test('is a serde as it stands and when called with a type', () => {
  expectTypeOf(json<{ a: number }>()).toEqualTypeOf<Serde<{ a: number }>>()
  expect(json<{ a: number }>().serialize({ a: 1 }).toString()).toBe('{"a":1}')
  expect(json.serialize({ a: 'é' }).toString()).toBe('{"a":"é"}')
  expect(json.format).toBe('json')
})

test('what is written is read', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const bytes = json.serialize(value)
      expect(bytes.toString()).toBe(JSON.stringify(value))
      expect(json.deserialize(bytes)).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
})

test('__proto__ stays data', () => {
  const value = read('{"__proto__":{"admin":true},"constructor":{"prototype":{"x":1}}}') as object
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  expect(Object.keys(value)).toEqual(['__proto__', 'constructor'])
  expect(({} as { admin?: boolean }).admin).toBeUndefined()
  expect(json.serialize(value).toString()).toBe('{"__proto__":{"admin":true},"constructor":{"prototype":{"x":1}}}')
})

test.each([
  ['', 'an empty value is not JSON'],
  ['{"a":1', 'not JSON: "," or "}" expected at character 6, near "{"a":1"'],
  ['{a:1}', 'not JSON: a key in quotes or "}" expected at character 1, near "{a:1}"'],
  ['{"a":1,}', 'not JSON: a key in quotes expected at character 7, near "{"a":1,}"'],
  ['[1,]', 'not JSON: a value expected at character 3, near "[1,]"'],
  ['[1 2]', 'not JSON: "," or "]" expected at character 3, near "[1 2]"'],
  ['nul', 'not JSON: a value expected at character 0, near "nul"'],
  ['01', 'not JSON: the end of the text expected at character 1, near "01"'],
  ['"a', 'not JSON: a legal character of a string or its closing quote expected at character 2, near ""a"'],
  ['{"a" 1}', 'not JSON: ":" expected at character 5, near "{"a" 1}"'],
  ['\u001b]0;title\u0007', 'not JSON: a value expected at character 0, near "\\u001b]0;title\\u0007"'],
  ['\ufeff{}', 'not JSON: a value expected at character 0, near "\\ufeff{}"'],
])('%j: %s', (text, message) => {
  expect(() => read(text)).toThrow(expect.objectContaining({ code: 'DESERIALIZATION', message }))
})

test('the excerpt is short and around the position', () => {
  expect(() => read(`{"a":"${'x'.repeat(500)}","b":oops,"c":"${'y'.repeat(500)}"}`)).toThrow(
    'not JSON: a value expected at character 512, near "...xxxxxxxxxxxxxx","b":oops,"c":"yyyyyyyyyy..."',
  )
})

test('refuses bytes that are not UTF-8, and more than the limit', () => {
  expect(() => json.deserialize(Buffer.from('22ff22', 'hex'))).toThrow(/not UTF-8/)
  const large = JSON.stringify('x'.repeat(1024 * 1024))
  expect(() => read(large)).toThrow(
    expect.objectContaining({ code: 'DESERIALIZATION', message: 'JSON of 1048578 bytes is over the limit of 1048576' }),
  )
  expect(json<string>({ maxBytes: 2_000_000 }).deserialize(Buffer.from(large)).length).toBe(1024 * 1024)
})

test.each([
  [undefined, /^undefined cannot be written as JSON$/],
  [() => 1, /^function cannot be written/],
  [Symbol('x'), /^symbol cannot be written/],
  [1n, /BigInt/],
  [{ a: { b: 1n } }, /BigInt/],
  [Number.NaN, /NaN or an infinity cannot be written as JSON$/],
  [Number.POSITIVE_INFINITY, /NaN or an infinity/],
  [{ n: 0, avg: Number.NaN }, /it is at \.avg$/],
  [{ list: [1, { x: Number.NEGATIVE_INFINITY }] }, /it is at \.list\.1\.x$/],
  [{ toJSON: () => new Map([[1, 2]]) }, /^a Map cannot be written as JSON$/],
  [{ a: [{ toJSON: () => ({ b: new Set([1]) }) }] }, /^a Set cannot be written as JSON: it is at \.a\.0\.b$/],
  [{ a: { toJSON: () => Number.NaN } }, /NaN or an infinity cannot be written as JSON: it is at \.a$/],
  [{ a: Object.assign(() => 1, { toJSON: () => new Map() }) }, /^a Map .* at \.a$/],
])('refuses %o', (value, message) => {
  expect(() => json.serialize(value)).toThrow(
    expect.objectContaining({ code: 'SERIALIZATION', message: expect.stringMatching(message) }),
  )
})

test('null is a value, also beside others', () => {
  expect(json.serialize(null).toString()).toBe('null')
  expect(json.serialize({ a: null, d: new Date(0), s: 'null' }).toString()).toBe(
    '{"a":null,"d":"1970-01-01T00:00:00.000Z","s":"null"}',
  )
})

test('what toJSON gives is written, under the key it is told, and asked for no other', () => {
  class Tags extends Map<string, number> {
    toJSON(key: string) {
      return { key, none: null, of: { n: this.size, toJSON: undefined } }
    }
  }
  const once = { toJSON: () => ({ toJSON: () => new Map(), none: null, empty: {} }) }
  expect(json.serialize({ list: [new Tags()], tags: new Tags([['a', 1]]) }).toString()).toBe(
    '{"list":[{"key":"0","none":null,"of":{"n":0}}],"tags":{"key":"tags","none":null,"of":{"n":1}}}',
  )
  expect(json.serialize(once).toString()).toBe('{"none":null,"empty":{}}')
})

test('refuses a cycle, and depth neither hangs nor crashes', () => {
  const cycle: { self?: unknown } = {}
  cycle.self = cycle
  expect(() => json.serialize(cycle)).toThrow(expect.objectContaining({ code: 'SERIALIZATION' }))
  for (const text of ['['.repeat(100_000), `${'['.repeat(100_000)}${']'.repeat(99_999)}`, '{"a":'.repeat(50_000)]) {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'DESERIALIZATION' }))
  }
  const deep = read(`${'['.repeat(100_000)}null${']'.repeat(100_000)}`)
  try {
    json.serialize(deep)
  } catch (error) {
    expect(error).toMatchObject({ code: 'SERIALIZATION' })
  }
})

test('10,000 mutated texts: the reader agrees with JSON.parse, and the position is where the text breaks', () => {
  fc.assert(
    fc.property(fc.json(), fc.nat(), fc.uint8Array({ maxLength: 3 }), fc.nat({ max: 3 }), (text, at, junk, removed) => {
      const bytes = Buffer.from(text)
      const from = at % (bytes.length + 1)
      const mutated = Buffer.concat([bytes.subarray(0, from), junk, bytes.subarray(from + removed)])
      let expected: unknown
      let legal = true
      try {
        expected = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(mutated))
      } catch {
        legal = false
      }
      if (legal) {
        expect(json.deserialize(mutated)).toEqual(expected)
        return
      }
      expect(() => json.deserialize(mutated)).toThrow(expect.objectContaining({ code: 'DESERIALIZATION' }))
    }),
    { numRuns: 10_000 },
  )
})
