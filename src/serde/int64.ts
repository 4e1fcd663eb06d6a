/** 64-bit integers as 8 bytes, big-endian, as Kafka's LongSerializer writes them; always bigint, so that none loses precision. */

import { type ByteTarget, deserializeWith, serializeWith } from '../common/bytes.ts'
import { StreamError } from '../common/errors.ts'
import type { Serde } from './serde.ts'

const long = new BigInt64Array(1)
const longBytes = new Uint8Array(long.buffer)
const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

/**
 * Signed 64-bit integers.
 * @throws StreamError DESERIALIZATION unless the bytes are 8; SERIALIZATION for anything but a bigint in [-2^63, 2^63).
 */
export const int64: Serde<bigint> = Object.freeze({
  format: 'int64',
  primitive: true,
  serialize: serializeWith((value: bigint, target: ByteTarget): void => {
    if (typeof value !== 'bigint') {
      throw new StreamError('SERIALIZATION', `a bigint was expected, not ${value === null ? 'null' : typeof value}`, {
        hint: 'Write 1n or BigInt(x), or use the serde `double` for numbers.',
      })
    }
    if (BigInt.asIntN(64, value) !== value) {
      throw new StreamError('SERIALIZATION', 'the bigint does not fit in 64 bits: it must be in [-2^63, 2^63)')
    }
    const at = target.reserve(8)
    const { buffer } = target
    target.length = at + 8
    if (!littleEndian) {
      buffer.writeBigInt64BE(value, at)
      return
    }
    // Twice as fast as writeBigInt64BE, which takes the number apart with bigint arithmetic.
    long[0] = value
    for (let i = 0; i < 8; i++) buffer[at + i] = longBytes[7 - i] as number
  }),
  deserialize: deserializeWith((source: Buffer, start: number, end: number): bigint => {
    const length = end - start
    if (length !== 8) {
      throw new StreamError('DESERIALIZATION', `an int64 has 8 bytes, not ${length}`, {
        hint:
          length === 4 ? 'Four bytes look like a 32-bit integer.' : 'The topic was written with another serializer.',
      })
    }
    return source.readBigInt64BE(start)
  }),
})
