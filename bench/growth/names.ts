/** Keys by number, and the fixed order in which they come. */

const width = 8
const prefix = 'key-'
const end = prefix.length + width
/** A prime above every number of keys, so that each key comes once before any comes again; small enough for exact products. */
const stride = 433_494_437

export function keyName(number: number): string {
  return prefix + String(number).padStart(width, '0')
}

/** The number of a key, or of the key that a windowed one begins with. */
export function keyNumber(key: Buffer): number {
  return Number(key.toString('latin1', prefix.length, end))
}

/** The start of the window that a windowed key ends with, ms. */
export function windowStart(key: Buffer): number {
  return Number(key.readBigInt64BE(end))
}

/** Numbers 0 to `count`, scattered; over and over in the same order. */
export function scattered(number: number, count: number): number {
  return (number * stride) % count
}

/** Numbers 0 to `count` without any order, a number again and again while another waits. */
export function mixed(number: number, count: number): number {
  return (Math.imul(number, 2654435761) >>> 0) % count
}
