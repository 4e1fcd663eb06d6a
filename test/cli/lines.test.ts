import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Line, readLines } from '../../src/cli/lines.ts'
import { parseRecord } from '../../src/cli/records.ts'
import { int64 } from '../../src/serde/int64.ts'
import { string } from '../../src/serde/string.ts'

async function* chunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function read(text: string, size: number): Promise<Line[]> {
  const all: Line[] = []
  for await (const lines of readLines(chunks(Buffer.from(text), size), 'f')) all.push(...lines)
  return all
}

test('lines are the same wherever the chunks are cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: 'grapheme' }).map((line) => line.replace(/[\r\n\ufeff]/g, ''))),
      fc.constantFrom('\n', '\r\n'),
      fc.integer({ min: 1, max: 7 }),
      async (lines, end, size) => {
        const expected = lines.flatMap((text, i) => (text === '' ? [] : [{ number: i + 1, text }]))
        expect(await read(lines.join(end), size)).toEqual(expected)
        expect(await read(lines.map((line) => line + end).join(''), size)).toEqual(expected)
      },
    ),
  )
})

test('a byte order mark is no part of the first line', async () => {
  expect(await read('\ufeffa\nb', 2)).toEqual([
    { number: 1, text: 'a' },
    { number: 2, text: 'b' },
  ])
})

const serdes = { key: string, value: int64 }
const line = (text: string): Line => ({ number: 3, text })

test('NDJSON records; absent keys are null, what consume writes reads again', () => {
  expect(parseRecord(line('{"value":5}'), 'f', { kind: 'ndjson' }, serdes)).toEqual({
    key: null,
    value: 5n,
    timestamp: null,
    headers: [],
  })
  const consumed = '{"topic":"t","partition":0,"offset":"7","timestamp":9,"key":"k","value":null,"headers":{"a":"b"}}'
  expect(parseRecord(line(consumed), 'f', { kind: 'ndjson' }, serdes)).toEqual({
    key: 'k',
    value: null,
    timestamp: 9,
    headers: [{ key: 'a', value: Buffer.from('b') }],
  })
})

test('keyed and plain text', () => {
  expect(parseRecord(line('a=b=5'.replace('b=', '')), 'f', { kind: 'text', delimiter: '=' }, serdes)).toMatchObject({
    key: 'a',
    value: 5n,
  })
  expect(parseRecord(line('5'), 'f', { kind: 'text', delimiter: null }, serdes)).toMatchObject({ key: null, value: 5n })
})

test.each([
  ['nope', 'it is not JSON'],
  ['[1]', 'no object'],
  ['{"valu":1}', 'the field "valu" is unknown'],
  ['{"key":"a"}', 'the field "value" is missing'],
  ['{"value":1,"timestamp":-1}', '"timestamp"'],
  ['{"value":1,"timestamp":"2026"}', '"timestamp"'],
  ['{"value":"x"}', 'in "value"'],
  ['{"key":1,"value":1}', 'in "key"'],
  ['{"value":1,"headers":5}', 'in "headers"'],
])('%s is refused by line and field', (text, part) => {
  expect(() => parseRecord(line(text), 'f', { kind: 'ndjson' }, serdes)).toThrow(
    expect.objectContaining({
      message: expect.stringContaining(part),
      where: { file: 'f', line: 3 },
      code: 'SERIALIZATION',
    }),
  )
})
