import { expect, test } from 'vitest'
import { StreamError } from '../../src/common/errors.ts'
import { type Header, noHeaders } from '../../src/common/record.ts'
import { deadLetterHeaders } from '../../src/runtime/dead-letter.ts'

const origin = { app: 'shop', node: 'orders', task: '0_3' }
const from = { topic: 'orders', partition: 3 }

const record = (headers: readonly Header[] = noHeaders) => ({
  offset: 42,
  timestamp: 1700,
  key: Buffer.from('k'),
  value: Buffer.from('v'),
  headers,
})

const read = (headers: readonly Header[]) =>
  Object.fromEntries(headers.map(({ key, value }) => [key, value?.toString()]))

test('where the record came from, what was wrong with it, and who says so', () => {
  const error = new StreamError('DESERIALIZATION', 'orders: not JSON')
  expect(read(deadLetterHeaders(record(), from, error, origin))).toEqual({
    '__streams.errors.exception': 'StreamError',
    '__streams.errors.message': 'orders: not JSON',
    '__streams.errors.stacktrace': error.stack,
    '__streams.errors.topic': 'orders',
    '__streams.errors.partition': '3',
    '__streams.errors.offset': '42',
    'streamctl.dlq.app': 'shop',
    'streamctl.dlq.node': 'orders',
    'streamctl.dlq.task': '0_3',
    'streamctl.dlq.code': 'DESERIALIZATION',
    'streamctl.dlq.timestamp': '1700',
  })
})

test("the record's own headers come first, untouched and repeated as they were", () => {
  const own: Header[] = [
    { key: 'trace', value: Buffer.from([0xff, 0]) },
    { key: 'trace', value: null },
  ]
  const headers = deadLetterHeaders(record(own), from, new Error('x'), origin)
  expect(headers.slice(0, 2)).toEqual(own)
  expect(headers[0]?.value).toBe(own[0]?.value)
})

test('headers of an earlier dead letter are replaced, not piled up', () => {
  const once = deadLetterHeaders(record(), from, new Error('first'), origin)
  const twice = deadLetterHeaders(record(once), { topic: 'orders.dlq', partition: 0 }, new Error('second'), origin)
  expect(twice).toHaveLength(once.length)
  expect(read(twice)).toMatchObject({ '__streams.errors.message': 'second', '__streams.errors.topic': 'orders.dlq' })
})

test('long causes are cut; anything thrown has a message and a code', () => {
  const long = read(deadLetterHeaders(record(), from, new Error('x'.repeat(100_000)), origin))
  expect(long['__streams.errors.message']).toHaveLength(8192)
  expect(long['__streams.errors.stacktrace']?.length).toBeLessThanOrEqual(8192)
  const thrown = read(deadLetterHeaders(record(), from, 'just text', origin))
  expect(thrown).toMatchObject({ '__streams.errors.message': 'just text', 'streamctl.dlq.code': 'PROCESSING' })
})
