import { expect, test } from 'vitest'
import { avro } from '../../src/serde/avro.ts'

const serde = avro(
  {
    type: 'record',
    name: 'R',
    namespace: 'n',
    fields: [
      { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
      { name: 'maybe', type: ['null', 'long', 'string'], default: null },
      { name: 'body', type: 'bytes' },
      { name: 'tags', type: { type: 'map', values: { type: 'array', items: 'long' } } },
      { name: 'next', type: ['null', 'n.R'], default: null },
    ],
  },
  { framing: 'none' },
)

test('longs come from numbers and strings, bytes from base64, absent fields from defaults', () => {
  const value = serde.fromJson?.({
    at: 1_700_000_000_000,
    body: 'aGk=',
    tags: { a: [1, '9007199254740993'] },
    next: { at: '-5', maybe: 7, body: '', tags: {} },
  })
  expect(value).toEqual({
    at: 1_700_000_000_000n,
    maybe: null,
    body: Buffer.from('hi'),
    tags: { a: [1n, 9_007_199_254_740_993n] },
    next: { at: -5n, maybe: 7n, body: Buffer.alloc(0), tags: {}, next: null },
  })
  expect(structuredClone(serde.deserialize(serde.serialize(value as NonNullable<typeof value>)))).toMatchObject({
    maybe: null,
  })
})

test.each<[unknown, RegExp]>([
  [{ at: 1.5, body: '', tags: {} }, /^at at: a long is a whole number/],
  [{ at: 1, body: 'not base64!', tags: {} }, /^at body: bytes are a base64 string/],
  [{ at: 1, body: '', tags: { a: [true] } }, /^at tags\.a\[0\]: a long/],
  [{ at: 1, body: '', tags: {}, extra: 1 }, /no field "extra"/],
])('refuses %j', (json, message) => {
  expect(() => serde.fromJson?.(json)).toThrow(
    expect.objectContaining({ code: 'SERIALIZATION', message: expect.stringMatching(message) }),
  )
})
