/** UTF-8 in both directions, never lossy: what cannot be kept exactly is refused instead of becoming U+FFFD. */

import { isUtf8 } from 'node:buffer'

/** The text of the bytes [start, end), or undefined when they are not UTF-8. */
export function decodeUtf8(source: Buffer, start: number, end: number): string | undefined {
  const text = source.toString('utf8', start, end)
  // Invalid bytes always leave a U+FFFD behind; the search costs nothing in a text of one byte a character.
  return text.includes('\uFFFD') && !isUtf8(source.subarray(start, end)) ? undefined : text
}

/** Some 40 characters around a position, in printable ASCII, so that bytes of a record never reach a terminal as they are. */
export function excerpt(text: string, at: number): string {
  const from = Math.max(0, at - 20)
  const to = Math.min(text.length, at + 20)
  const shown = text
    .slice(from, to)
    .replace(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return `${from > 0 ? '...' : ''}${shown}${to < text.length ? '...' : ''}`
}

/** `1 byte`, `3 bytes`. */
export function byteCount(n: number): string {
  return n === 1 ? '1 byte' : `${n} bytes`
}
