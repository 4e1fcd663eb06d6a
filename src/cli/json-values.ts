/** Keys and values of every serde as JSON and back. What JSON cannot hold takes one agreed form: 64-bit integers beyond 2^53 and bytes are strings. */

import { isUtf8 } from 'node:buffer'
import { messageOf, StreamError } from '../common/errors.ts'
import { type Headers, noHeaders } from '../common/record.ts'
import type { AnySerde } from '../serde/serde.ts'

function replacer(this: unknown, name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return bigintToJson(value)
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  // A Buffer arrives here as what its toJSON made of it; the holder still has the bytes.
  const raw = (this as Record<string, unknown>)[name]
  if (raw instanceof Uint8Array) {
    return Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString('base64')
  }
  if (raw instanceof Map) return Object.fromEntries(raw)
  return value
}

function bigintToJson(value: bigint): number | string {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value.toString()
}

/**
 * One line of JSON: bigints as numbers where exact, else as strings; bytes in base64; NaN and infinities by name.
 * @throws StreamError SERIALIZATION for a value that refers to itself.
 */
export function toJson(value: unknown): string {
  try {
    return JSON.stringify(value, replacer) ?? 'null'
  } catch (thrown) {
    throw new StreamError('SERIALIZATION', `a value cannot be shown as JSON: ${messageOf(thrown)}`, { cause: thrown })
  }
}

/**
 * What a serde takes, from its JSON form; null is left to the caller, for it is no value.
 * @throws StreamError SERIALIZATION naming what was expected.
 */
export function fromJson(serde: AnySerde, value: unknown): unknown {
  return serde.fromJson === undefined ? ofFormat(serde.format, value) : serde.fromJson(value)
}

function ofFormat(format: string, value: unknown): unknown {
  switch (format) {
    case 'string':
      if (typeof value === 'string') return value
      throw expected('a string', value)
    case 'int64':
      if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
      if (typeof value === 'string' && /^-?\d{1,19}$/.test(value)) return BigInt(value)
      throw expected('a whole number (beyond 2^53 as a string)', value)
    case 'double':
      if (typeof value === 'number') return value
      if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value)
      throw expected('a number', value)
    case 'bytes':
      if (typeof value === 'string' && isBase64(value)) return Buffer.from(value, 'base64')
      throw expected('bytes as a base64 string', value)
    default:
      if (format.startsWith('windowed(')) {
        return windowedKey(format.slice('windowed('.length, format.lastIndexOf(',')), value)
      }
      if (format.startsWith('sessionWindowed(')) {
        return windowedKey(format.slice('sessionWindowed('.length, -1), value)
      }
      return value
  }
}

function windowedKey(inner: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('key' in value) || !('start' in value) || !('end' in value)) {
    throw expected('a windowed key: {"key","start","end"}', value)
  }
  return { key: ofFormat(inner, value.key), start: value.start, end: value.end }
}

function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)
}

function expected(what: string, value: unknown): StreamError {
  const json = toJson(value)
  const shown = json.length > 60 ? `${json.slice(0, 60)}...` : json
  return new StreamError('SERIALIZATION', `${what} was expected, not ${shown}`)
}

/** What a serde takes, from plain text: text itself for strings and bytes, else the text as JSON. */
export function fromText(serde: AnySerde, text: string): unknown {
  if (serde.format === 'string') return text
  if (serde.format === 'bytes') return Buffer.from(text, 'utf8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new StreamError('SERIALIZATION', `${serde.format} was expected as JSON, not ${toJson(text.slice(0, 60))}`)
  }
  return value === null ? null : fromJson(serde, value)
}

/** Headers as an object; a name that repeats has an array; bytes that are no UTF-8 are `{ "base64": ... }`. */
export function headersToJson(headers: Headers): Record<string, unknown> {
  const result: Record<string, unknown> = Object.create(null)
  for (const { key, value } of headers) {
    const shown = value === null ? null : isUtf8(value) ? value.toString('utf8') : { base64: value.toString('base64') }
    const earlier = result[key]
    result[key] = key in result ? (Array.isArray(earlier) ? [...earlier, shown] : [earlier, shown]) : shown
  }
  return result
}

/** @throws StreamError SERIALIZATION for anything but the shape that `headersToJson` gives. */
export function headersFromJson(value: unknown): Headers {
  if (value === undefined) return noHeaders
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw expected('headers as an object', value)
  return Object.entries(value).flatMap(([key, given]: [string, unknown]) =>
    (Array.isArray(given) ? given : [given]).map((item) => ({ key, value: headerValue(item) })),
  )
}

function headerValue(item: unknown): Buffer | null {
  if (item === null) return null
  if (typeof item === 'string') return Buffer.from(item, 'utf8')
  if (typeof item === 'object' && 'base64' in item && typeof item.base64 === 'string' && isBase64(item.base64)) {
    return Buffer.from(item.base64, 'base64')
  }
  throw expected('a header value as a string, null or {"base64"}', item)
}
