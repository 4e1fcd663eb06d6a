/** A 64-bit hash of bytes: MurmurHash3_x86_32 (A. Appleby, public domain) under two seeds. To tell values apart, not to keep secrets. */

/** Eight characters below 256, so that hashes are compared and kept as texts. */
export function hash64(bytes: Uint8Array, start = 0, end = bytes.length): string {
  const high = murmur3(bytes, start, end, 0x9747b28c)
  const low = murmur3(bytes, start, end, 0x5bd1e995)
  return String.fromCharCode(
    high >>> 24,
    (high >>> 16) & 0xff,
    (high >>> 8) & 0xff,
    high & 0xff,
    low >>> 24,
    (low >>> 16) & 0xff,
    (low >>> 8) & 0xff,
    low & 0xff,
  )
}

export function murmur3(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let hash = seed
  let at = start
  for (; at + 4 <= end; at += 4) {
    const four =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    hash ^= mixed(four)
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0
  }
  const tail = end - at
  if (tail > 0) {
    let rest = bytes[at] as number
    if (tail > 1) rest |= (bytes[at + 1] as number) << 8
    if (tail > 2) rest |= (bytes[at + 2] as number) << 16
    hash ^= mixed(rest)
  }
  hash ^= end - start
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

function mixed(four: number): number {
  const once = Math.imul(four, 0xcc9e2d51)
  return Math.imul((once << 15) | (once >>> 17), 0x1b873593)
}
