/** Numbers as 8 bytes, big-endian IEEE 754, as Kafka's DoubleSerializer writes them. */

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
  serialize(value: number): Buffer {
    if (typeof value !== 'number') {
      throw new StreamError('SERIALIZATION', `a number was expected, not ${value === null ? 'null' : typeof value}`)
    }
    const bytes = Buffer.allocUnsafe(8)
    bytes.writeDoubleBE(value, 0)
    return bytes
  },
  deserialize(bytes: Buffer): number {
    if (bytes.length !== 8) {
      throw new StreamError('DESERIALIZATION', `a double has 8 bytes, not ${bytes.length}`, {
        hint:
          bytes.length === 4
            ? 'Four bytes look like a 32-bit float.'
            : 'The topic was written with another serializer.',
      })
    }
    return bytes.readDoubleBE(0)
  },
})
