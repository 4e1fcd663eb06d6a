/** JSON as UTF-8. What JSON would change without a word (NaN, a promise, a Map, undefined at the top) is refused, not written as null or {}. */

import { type ByteTarget, deserializeWith, serializeWith } from '../common/bytes.ts'
import { messageOf, StreamError } from '../common/errors.ts'
import { jsonError } from './json-error.ts'
import type { Serde } from './serde.ts'
import { decodeUtf8, excerpt } from './text.ts'

export interface JsonOptions {
  /** Longest text that is read, in bytes; a longer one is a DESERIALIZATION error. Default 1 MiB. */
  readonly maxBytes?: number
}

/** Usable as it stands (`serde: json` infers from its surroundings) and called with a type (`json<Order>()`). */
// biome-ignore lint/suspicious/noExplicitAny: `any` lets an aggregate's type come from its initializer; with `unknown` it would be poisoned.
export type JsonSerde = Serde<any> & (<T>(options?: JsonOptions) => Serde<T>)

const mebibyte = 1024 * 1024

/**
 * JSON. The type is a promise of the writer: nothing is checked against it. Of duplicate keys the last wins; a key
 * `__proto__` stays data; numbers beyond 2^53 lose precision, as `JSON.parse` does; the text `null` reads as null,
 * which the engine takes for a tombstone.
 * @throws StreamError DESERIALIZATION with the position for text that is not JSON, not UTF-8, or over 1 MiB;
 * SERIALIZATION for a bigint, NaN, an infinity, a promise, a Map or a Set anywhere, a cycle, and undefined or a function as the value.
 */
export const json: JsonSerde = Object.freeze(
  Object.assign(<T>(options?: JsonOptions): Serde<T> => Object.freeze(jsonSerde<T>(options)), jsonSerde<unknown>()),
)

function jsonSerde<T>(options: JsonOptions = {}): Serde<T> {
  const maxBytes = options.maxBytes ?? mebibyte
  const readJson = (source: Buffer, start: number, end: number): T => {
    const length = end - start
    if (length > maxBytes) {
      throw unreadable(`JSON of ${length} bytes is over the limit of ${maxBytes}`, {
        hint: 'Raise it with json({ maxBytes }).',
      })
    }
    const text = decodeUtf8(source, start, end)
    if (text === undefined) throw unreadable(`${length} bytes are not UTF-8, so not JSON`)
    try {
      return JSON.parse(text) as T
    } catch {
      // V8's message is not passed on: it may quote the record's bytes unescaped.
      const { at, expected } = jsonError(text)
      throw unreadable(
        text.length === 0
          ? 'an empty value is not JSON'
          : `not JSON: ${expected} expected at character ${at}, near "${excerpt(text, at)}"`,
      )
    }
  }
  return {
    format: 'json',
    primitive: false,
    serialize: serializeWith(writeJson),
    deserialize: deserializeWith(readJson),
  }
}

function writeJson(value: unknown, target: ByteTarget): void {
  let text: string | undefined
  try {
    text = JSON.stringify(value)
    // JSON writes NaN as null, and a promise or a map as {}. Only a text that holds one of these needs the walk that finds out.
    if (text !== undefined && (text.includes('null') || text.includes('{}'))) refuseLost(value, '', '')
  } catch (thrown) {
    if (thrown instanceof StreamError) throw thrown
    throw new StreamError('SERIALIZATION', `the value cannot be written as JSON: ${firstLine(messageOf(thrown))}`, {
      cause: thrown,
      hint: 'JSON has no bigint and no cycles: write a bigint as a string, or use int64 or avro.',
    })
  }
  if (text === undefined) {
    throw new StreamError('SERIALIZATION', `${typeof value} cannot be written as JSON`, {
      hint: 'A mapper without a return gives undefined; null is the tombstone.',
    })
  }
  target.writeText(text)
}

/** @throws StreamError for what JSON would write as null or as {}, with its path. @param key under which it is found, as `toJSON` is told. */
function refuseLost(value: unknown, key: string, path: string): void {
  const written = hasToJson(value) ? value.toJSON(key) : value
  if (typeof written === 'number' && !Number.isFinite(written)) throw lost('NaN or an infinity', path)
  if (typeof written !== 'object' || written === null) return
  const prototype: unknown = Object.getPrototypeOf(written)
  const plain = prototype === Object.prototype || prototype === Array.prototype
  const kind = plain ? undefined : emptied.find((type) => written instanceof type)?.name
  if (kind !== undefined) throw lost(`a ${kind}`, path)
  for (const key of Object.keys(written)) refuseLost((written as Record<string, unknown>)[key], key, `${path}.${key}`)
}

/** Its result is what is written, even if that has a toJSON too. */
function hasToJson(value: unknown): value is { readonly toJSON: (key: string) => unknown } {
  return (
    value !== null &&
    (typeof value === 'object' || typeof value === 'function') &&
    'toJSON' in value &&
    typeof value.toJSON === 'function'
  )
}

/** JSON knows nothing of what is in them. */
const emptied = [Promise, Map, Set, WeakMap, WeakSet, RegExp] as const

function lost(what: string, path: string): StreamError {
  return new StreamError('SERIALIZATION', `${what} cannot be written as JSON${path && `: it is at ${path}`}`, {
    hint:
      what === 'a Promise'
        ? 'A function here returns its result itself, and waits for nothing.'
        : 'JSON has objects, arrays, strings, finite numbers, true, false and null: turn it into these.',
  })
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? ''
}

function unreadable(message: string, details?: { readonly hint: string }): StreamError {
  return new StreamError('DESERIALIZATION', message, details)
}
