import fc from 'fast-check'
import { expect, test } from 'vitest'
import { changeOf } from '../../src/serde/change.ts'
import { json } from '../../src/serde/json.ts'
import { string } from '../../src/serde/string.ts'

const texts = changeOf(string)

test('both halves come back, whatever of them is there', () => {
  const half = fc.option(fc.string({ unit: 'grapheme' }))
  fc.assert(
    fc.property(half, half, (value, old) => {
      expect(texts.deserialize(texts.serialize({ value, old }))).toEqual({ value, old })
    }),
  )
})

test('the bytes are those of the format', () => {
  const bytes = (value: string | null, old: string | null) => texts.serialize({ value, old }).toString('hex')
  expect(bytes('ab', 'c')).toBe('00000002616201' + '63')
  expect(bytes('ab', null)).toBe('00000002616200')
  expect(bytes(null, 'c')).toBe('ffffffff01' + '63')
  expect(bytes('', '')).toBe('0000000001')
})

test('bytes of another form are refused', () => {
  for (const hex of ['', '00000001', '0000000161', '000000016102', '00000001610061', 'fffffffe01', '7fffffff00']) {
    expect(() => texts.deserialize(Buffer.from(hex, 'hex')), hex).toThrow(
      expect.objectContaining({ code: 'DESERIALIZATION' }),
    )
  }
})

test('the inner serde is named, opened, and prepared with the bytes of both halves', async () => {
  const seen: string[] = []
  const inner = {
    ...json<string>(),
    format: 'avro:Row',
    fingerprint: '1f',
    prepare: (batch: readonly Buffer[]) => {
      seen.push(...batch.map(String))
      return undefined
    },
    open: async () => void seen.push('opened'),
  }
  const serde = changeOf(inner)
  expect([serde.format, serde.fingerprint]).toEqual(['change(avro:Row)', '1f'])
  await serde.open?.()
  const batch = [
    serde.serialize({ value: 'a', old: 'b' }),
    serde.serialize({ value: null, old: 'c' }),
    Buffer.from('x'),
  ]
  void serde.prepare?.(batch)
  expect(seen).toEqual(['opened', '"a"', '"b"', '"c"'])
})
