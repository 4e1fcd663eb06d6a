import { expect, test } from 'vitest'
import { formatNames, serdeByName } from '../../src/serde/formats.ts'
import { int64 } from '../../src/serde/int64.ts'

test('finds serdes by their names', () => {
  expect(formatNames).toEqual(['string', 'int64', 'double', 'bytes', 'json'])
  expect(serdeByName('int64')).toBe(int64)
  for (const name of formatNames) expect(serdeByName(name).format).toBe(name)
})

test('names the formats there are when there is none', () => {
  for (const name of ['avro', '', 'toString', '__proto__']) {
    expect(() => serdeByName(name)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', hint: 'Use one of string, int64, double, bytes, json.' }),
    )
  }
})
