/** Avro's long as bigint: a varint of zig-zag bits, handed to avsc as it stands on the wire. */

const scratch = Buffer.alloc(10)
/** The first n bytes of the scratch, made once: avsc copies what it is given before the next long comes. */
const views: readonly Buffer[] = Array.from({ length: 11 }, (_, n) => scratch.subarray(0, n))
const two28 = 2 ** 28
const two52 = 2 ** 52

/** What avsc's `LongType.__with(methods, true)` asks for. */
export const longMethods = {
  isValid: (value: unknown): boolean => typeof value === 'bigint' && BigInt.asIntN(64, value) === value,
  toBuffer(value: bigint): Buffer {
    const n = Number(value)
    let at = 0
    // The bits that are left, zig-zag, as soon as a number holds them exactly: bigint arithmetic allocates.
    let rest: number
    if (n > -two52 && n < two52) rest = n < 0 ? -2 * n - 1 : 2 * n
    else {
      const zigzag = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
      let low = Number(zigzag & 0xfffffffn)
      for (; at < 4; at++) {
        scratch[at] = (low & 0x7f) | 0x80
        low >>>= 7
      }
      rest = Number(zigzag >> 28n)
    }
    for (; rest >= 0x80000000; rest = Math.floor(rest / 0x80)) scratch[at++] = (rest % 0x80) | 0x80
    for (; rest >= 0x80; rest >>>= 7) scratch[at++] = (rest & 0x7f) | 0x80
    scratch[at++] = rest
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
