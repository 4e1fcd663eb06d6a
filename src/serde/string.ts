/** Text as UTF-8, as Kafka's StringSerializer writes it; two different strings never share their bytes. */

import { type ByteTarget, deserializeWith, serializeWith } from '../common/bytes.ts'
import { StreamError } from '../common/errors.ts'
import type { Serde } from './serde.ts'
import { longestKept, shortText } from './short-text.ts'
import { decodeUtf8 } from './text.ts'

/**
 * Strings as UTF-8.
 * @throws StreamError DESERIALIZATION for bytes that are not UTF-8; SERIALIZATION for anything but a string, and for one
 * with half a surrogate pair (Java's serializer writes `?` for it, which would make different keys equal).
 */
export const string: Serde<string> = Object.freeze({
  format: 'string',
  primitive: true,
  serialize: serializeWith(writeString),
  deserialize: deserializeWith((source: Buffer, start: number, end: number): string =>
    end - start > longestKept ? readString(source, start, end) : shortText(source, start, end, readString),
  ),
})

function writeString(value: string, target: ByteTarget): void {
  if (typeof value !== 'string') throw refused(`a string was expected, not ${value === null ? 'null' : typeof value}`)
  if (!value.isWellFormed()) throw refused('the string holds half a surrogate pair, which UTF-8 cannot write')
  target.writeText(value)
}

function readString(source: Buffer, start: number, end: number): string {
  const text = decodeUtf8(source, start, end)
  if (text === undefined) {
    throw new StreamError('DESERIALIZATION', `${end - start} bytes are not UTF-8 text`, {
      hint: 'Read the topic with the serde it was written with, or with `bytes`.',
    })
  }
  return text
}

function refused(message: string): StreamError {
  return new StreamError('SERIALIZATION', message)
}
