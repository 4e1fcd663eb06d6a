/** Avro's long as bigint: a varint of zig-zag bits, handed to avsc as it stands on the wire. */

const scratch = Buffer.alloc(10)
/** The first n bytes of the scratch, made once: avsc copies what it is given before the next long comes. */
const views: readonly Buffer[] = Array.from({ length: 11 }, (_, n) => scratch.subarray(0, n))
const two28 = 2 ** 28

/** What avsc's `LongType.__with(methods, true)` asks for. */
export const longMethods = {
  isValid: (value: unknown): boolean => typeof value === 'bigint' && BigInt.asIntN(64, value) === value,
  toBuffer(value: bigint): Buffer {
    let high: number
    let low: number
    if (value >= -0x40000000n && value < 0x40000000n) {
      const n = Number(value)
      low = ((n << 1) ^ (n >> 31)) >>> 0
      high = 0
    } else {
      const zigzag = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
      low = Number(zigzag & 0xfffffffn)
      high = Number(zigzag >> 28n)
      // The low 28 bits are four whole groups of seven, the rest follows below 2^36: exact as a number.
      for (let i = 0; i < 4; i++) {
        scratch[i] = (low & 0x7f) | 0x80
        low >>>= 7
      }
      let at = 4
      while (high >= 0x80) {
        scratch[at++] = (high % 0x80) | 0x80
        high = Math.floor(high / 0x80)
      }
      scratch[at++] = high
      return views[at] as Buffer
    }
    let at = 0
    while (low >= 0x80) {
      scratch[at++] = (low & 0x7f) | 0x80
      low >>>= 7
    }
    scratch[at++] = low
    return views[at] as Buffer
  },
  fromBuffer(bytes: Buffer): bigint {
    let low = 0
    const length = bytes.length
    const head = Math.min(length, 4)
    for (let i = 0; i < head; i++) low |= ((bytes[i] as number) & 0x7f) << (7 * i)
    if (length <= 4) return BigInt((low >>> 1) ^ -(low & 1))
    let high = 0
    for (let i = length - 1; i >= 4; i--) high = high * 0x80 + ((bytes[i] as number) & 0x7f)
    const odd = low & 1
    // (high * 2^28 + low) / 2, then its bits inverted when odd. Up to 2^52 a number holds it.
    if (high < 0x1000000) {
      const half = high * (two28 / 2) + (low >>> 1)
      return BigInt(odd ? -half - 1 : half)
    }
    const half = (BigInt(high) << 27n) | BigInt(low >>> 1)
    return BigInt.asIntN(64, odd ? ~half : half)
  },
  fromJSON: (value: number | string | bigint): bigint => BigInt(value),
  toJSON: (value: bigint): number | string => {
    const n = Number(value)
    return Number.isSafeInteger(n) ? n : value.toString()
  },
  compare: (a: bigint, b: bigint): number => (a === b ? 0 : a < b ? -1 : 1),
}
