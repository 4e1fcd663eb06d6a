/** Numbers as 8 bytes, big-endian IEEE 754, as Kafka's DoubleSerializer writes them. */

import { type ByteTarget, deserializeWith, serializeWith } from '../common/bytes.ts'
import { StreamError } from '../common/errors.ts'
import type { Serde } from './serde.ts'

/**
 * Doubles; NaN and the infinities are values like others.
 * Not primitive: 0 and -0 are `===` and have different bytes, NaN is not `===` itself.
 * @throws StreamError DESERIALIZATION unless the bytes are 8; SERIALIZATION for anything but a number.
 */
export const double: Serde<number> = Object.freeze({
  format: 'double',
  primitive: false,
  serialize: serializeWith((value: number, target: ByteTarget): void => {
    if (typeof value !== 'number') {
      throw new StreamError('SERIALIZATION', `a number was expected, not ${value === null ? 'null' : typeof value}`)
    }
    const at = target.reserve(8)
    target.length = target.buffer.writeDoubleBE(value, at)
  }),
  deserialize: deserializeWith((source: Buffer, start: number, end: number): number => {
    const length = end - start
    if (length !== 8) {
      throw new StreamError('DESERIALIZATION', `a double has 8 bytes, not ${length}`, {
        hint: length === 4 ? 'Four bytes look like a 32-bit float.' : 'The topic was written with another serializer.',
      })
    }
    return source.readDoubleBE(start)
  }),
})
