/** Lines of input as records: NDJSON or plain text; a line that is no record is an error with its number and field, and nothing after it is taken. */

import { type ErrorLocation, messageOf, StreamError } from '../common/errors.ts'
import type { Headers } from '../common/record.ts'
import type { AnySerde } from '../serde/serde.ts'
import { fromJson, fromText, headersFromJson } from './json-values.ts'
import type { Line } from './lines.ts'

export interface Serdes {
  readonly key: AnySerde
  readonly value: AnySerde
}

export interface InputRecord {
  readonly key: unknown
  readonly value: unknown
  /** ms since the epoch; null when the line has none. */
  readonly timestamp: number | null
  readonly headers: Headers
}

/** How the lines of a file read. */
export type LineFormat =
  /** `{"key","value","timestamp"?,"headers"?}` */
  | { readonly kind: 'ndjson' }
  /** The line is the value; with a delimiter, what stands before its first occurrence is the key. */
  | { readonly kind: 'text'; readonly delimiter: string | null }

/** By its name: .ndjson, .jsonl and .json hold NDJSON, everything else text. */
export function formatOfFile(file: string): LineFormat {
  return /\.(ndjson|jsonl|json)$/i.test(file) ? { kind: 'ndjson' } : { kind: 'text', delimiter: null }
}

/** @throws StreamError SERIALIZATION with file and line. */
export function parseRecord(line: Line, file: string, format: LineFormat, serdes: Serdes): InputRecord {
  if (format.kind === 'ndjson') return recordOf(parseObject(line, file), line, file, serdes)
  const { delimiter } = format
  const at = delimiter === null ? -1 : line.text.indexOf(delimiter)
  if (delimiter !== null && at < 0) {
    throw badLine(line, file, `the delimiter ${JSON.stringify(delimiter)} is not in it`, 'Write key, delimiter, value.')
  }
  return field(line, file, 'value', () => ({
    key: at < 0 ? null : fromText(serdes.key, line.text.slice(0, at)),
    value: fromText(serdes.value, delimiter === null ? line.text : line.text.slice(at + delimiter.length)),
    timestamp: null,
    headers: [],
  }))
}

/** The JSON object that a line must be. */
export function parseObject(line: Line, file: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(line.text)
  } catch (thrown) {
    throw badLine(line, file, `it is not JSON (${messageOf(thrown)})`, recordHint)
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw badLine(line, file, 'it is JSON, but no object', recordHint)
}

const fields = new Set(['topic', 'key', 'value', 'timestamp', 'headers', 'partition', 'offset'])
const recordHint = 'Give one object per line: {"key": ..., "value": ..., "timestamp"?: ms, "headers"?: {...}}.'

/** The record in an object; absent keys and values are null. What `consume` writes can be read again. */
export function recordOf(
  object: Readonly<Record<string, unknown>>,
  line: Line,
  file: string,
  serdes: Serdes,
): InputRecord {
  for (const name of Object.keys(object)) {
    if (!fields.has(name)) throw badLine(line, file, `the field ${JSON.stringify(name)} is unknown`, recordHint)
  }
  if (!('value' in object)) throw badLine(line, file, 'the field "value" is missing', recordHint)
  const { key = null, value, timestamp } = object
  if (
    timestamp !== undefined &&
    !(typeof timestamp === 'number' && Number.isSafeInteger(timestamp) && timestamp >= 0)
  ) {
    throw badLine(line, file, 'the field "timestamp" is no whole number of ms since 1970', recordHint)
  }
  return {
    key: key === null ? null : field(line, file, 'key', () => fromJson(serdes.key, key)),
    value: value === null ? null : field(line, file, 'value', () => fromJson(serdes.value, value)),
    timestamp: timestamp === undefined ? null : timestamp,
    headers: field(line, file, 'headers', () => headersFromJson(object.headers)),
  }
}

function field<T>(line: Line, file: string, name: string, read: () => T): T {
  try {
    return read()
  } catch (thrown) {
    throw badLine(
      line,
      file,
      `in "${name}": ${messageOf(thrown)}`,
      'Mend the line, or check the serdes of the topic.',
      thrown,
    )
  }
}

/** An error that names the line. */
export function badLine(line: Line, file: string, what: string, hint: string, cause?: unknown): StreamError {
  const where: ErrorLocation = { file, line: line.number }
  return new StreamError('SERIALIZATION', `line ${line.number} of ${file} is not a record: ${what}`, {
    hint,
    where,
    ...(cause === undefined ? {} : { cause }),
  })
}
