/**
 * Short texts that come again and again, as keys do, are one string each: it is not made anew for every record, and what looks it up in
 * a map finds its hash computed. A table of fixed size in which the last text of a slot stays.
 */

/** More bytes than this are not worth the look. */
export const longestKept = 32
const slots = 16_384
const kept: (string | undefined)[] = new Array(slots).fill(undefined)

/** The string of the bytes [start, end) of `source`, at most `longestKept` of them; `make` makes one that is not there. */
export function shortText(
  source: Buffer,
  start: number,
  end: number,
  make: (source: Buffer, start: number, end: number) => string,
): string {
  let hash = 0
  let bits = 0
  for (let at = start; at < end; at++) {
    const byte = source[at] as number
    hash = (Math.imul(hash, 31) + byte) | 0
    bits |= byte
  }
  // Of ASCII alone a byte is a character, so that a string can be compared with bytes.
  if (bits >= 0x80) return make(source, start, end)
  const slot = (hash ^ (hash >>> 14)) & (slots - 1)
  const known = kept[slot]
  if (known !== undefined && isText(known, source, start, end)) return known
  const text = make(source, start, end)
  kept[slot] = text
  return text
}

function isText(text: string, source: Buffer, start: number, end: number): boolean {
  if (text.length !== end - start) return false
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== source[start + i]) return false
  return true
}
