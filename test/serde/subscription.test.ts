import fc from 'fast-check'
import { expect, test } from 'vitest'
import { instructions, type SubscriptionRow } from '../../src/common/subscription.ts'
import { json } from '../../src/serde/json.ts'
import { string } from '../../src/serde/string.ts'
import { responseOf, subscription, textKey } from '../../src/serde/subscription.ts'
import { subscriptionRow } from '../../src/serde/subscription-row.ts'

const latin = fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('latin1'))
const hash = fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString('latin1'))
const partition = fc.nat(0xffff)
const number = fc.nat(0xffff_fffe)

test('what is written is read', () => {
  fc.assert(
    fc.property(
      fc.record({
        instruction: fc.constantFrom(...instructions),
        hash: fc.option(hash),
        key: latin,
        partition,
      }),
      (given) => {
        expect(subscription.deserialize(subscription.serialize(given))).toEqual(given)
      },
    ),
  )
  const answers = responseOf(string)
  fc.assert(
    fc.property(fc.record({ hash: fc.option(hash), value: fc.option(fc.string({ unit: 'grapheme' })) }), (given) => {
      expect(answers.deserialize(answers.serialize({ ...given, partition: 3 }))).toEqual({ ...given, partition: -1 })
    }),
  )
  fc.assert(
    fc.property(fc.option(hash), (hash) => {
      const quiet = { hash, value: null, quiet: true, partition: -1 } as const
      expect(answers.deserialize(answers.serialize(quiet))).toEqual(quiet)
    }),
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.record({ kind: fc.constant('subscriber'), hash, partition, block: number }),
        fc.record({
          kind: fc.constant('open'),
          number,
          keys: fc.array(latin),
          first: fc.option(number),
          last: fc.option(number),
        }),
        fc.record({ kind: fc.constant('full'), keys: fc.array(latin), previous: fc.option(number), next: number }),
      ),
      (given) => {
        expect(subscriptionRow.deserialize(subscriptionRow.serialize(given))).toEqual(given)
      },
    ),
  )
  fc.assert(
    fc.property(latin, (text) => {
      expect(textKey.deserialize(textKey.serialize(text))).toBe(text)
    }),
  )
})

test('the bytes are those of the format', () => {
  const given = {
    instruction: 'unsubscribe',
    hash: '\x01\x02\x03\x04\x05\x06\x07\xff',
    key: 'k\xe9',
    partition: 2,
  } as const
  expect(subscription.serialize(given).toString('hex')).toBe('82' + '01020304050607ff' + '00000002' + '6be9')
  expect(subscription.serialize({ ...given, instruction: 'subscribe', hash: null }).toString('hex')).toBe(
    '00' + '00000002' + '6be9',
  )
  const answers = responseOf(string)
  expect(answers.serialize({ hash: null, value: 'v', partition: 1 }).toString('hex')).toBe('4076')
  expect(answers.serialize({ hash: null, value: null, partition: 1 }).toString('hex')).toBe('00')
  const rowBytes = (row: SubscriptionRow) => subscriptionRow.serialize(row).toString('hex')
  expect(rowBytes({ kind: 'subscriber', hash: 'h', partition: 1, block: 2 })).toBe(
    '00' + '00000001' + '00000002' + '68',
  )
  const keys = ['', 'k']
  expect(rowBytes({ kind: 'open', number: 3, keys, first: null, last: null })).toBe(
    '02' + '00000003' + 'ffffffff' + 'ffffffff' + '00000000' + '000000016b',
  )
  expect(rowBytes({ kind: 'open', number: 3, keys: [], first: 1, last: 2 })).toBe(
    '02' + '00000003' + '00000001' + '00000002',
  )
  expect(rowBytes({ kind: 'full', keys, previous: null, next: 3 })).toBe(
    '03' + 'ffffffff' + '00000003' + '00000000' + '000000016b',
  )
  expect(rowBytes({ kind: 'full', keys: [], previous: 1, next: 3 })).toBe('03' + '00000001' + '00000003')
})

test('bytes of another form are refused, whatever they are', () => {
  const refused = (serde: { deserialize: (bytes: Buffer) => unknown }, hex: string) =>
    expect(() => serde.deserialize(Buffer.from(hex, 'hex')), hex).toThrow(
      expect.objectContaining({ code: 'DESERIALIZATION' }),
    )
  for (const hex of ['', '04', '0000', '8000', '7f00000001']) refused(subscription, hex)
  for (const hex of ['', '01', '0041', '80', 'c001']) refused(responseOf(string), hex)
  const openHead = `02${'00'.repeat(12)}`
  const fullHead = `03${'00'.repeat(8)}`
  for (const hex of ['', `01${'00'.repeat(12)}`, '04', '0000000001', openHead.slice(0, -2), fullHead.slice(0, -2)]) {
    refused(subscriptionRow, hex)
  }
  for (const head of [openHead, fullHead]) {
    for (const rest of ['00', '00000002aa', 'ffffffff']) refused(subscriptionRow, head + rest)
  }
})

test('the serde of the other rows is named, opened, and prepared with their bytes', async () => {
  const seen: string[] = []
  const serde = responseOf({
    ...json<string>(),
    format: 'avro:Row',
    fingerprint: '1f',
    prepare: (batch: readonly Buffer[]) => {
      seen.push(...batch.map(String))
      return undefined
    },
    open: async () => void seen.push('opened'),
  })
  expect([serde.format, serde.fingerprint]).toEqual(['response(avro:Row)', '1f'])
  await serde.open?.()
  void serde.prepare?.([
    serde.serialize({ hash: '12345678', value: 'a', partition: 0 }),
    serde.serialize({ hash: null, value: null, partition: 0 }),
    serde.serialize({ hash: null, value: 'b', partition: 0 }),
    Buffer.from([0xc0]),
  ])
  expect(seen).toEqual(['opened', '"a"', '"b"'])
})
