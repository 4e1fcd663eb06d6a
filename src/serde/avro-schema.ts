/** Schemas are checked before avsc sees them: it compiles names into code, so nothing but an Avro name may pass as one. */

import { messageOf, StreamError } from '../common/errors.ts'
import type { AvroSchema } from './avro-type.ts'

const name = /^[A-Za-z_][A-Za-z0-9_]*$/
const maxSchemaBytes = 1024 * 1024
const maxDepth = 64
/** As a property name it would change an object's prototype instead of being data. */
const reserved = '__proto__'

/** Why a schema cannot be used, or undefined. Rules: Avro specification, "Names"; the limits are ours. */
export function schemaFault(schema: unknown, depth = 0): string | undefined {
  if (depth > maxDepth) return `it is nested deeper than ${maxDepth}`
  if (typeof schema === 'string') return nameFault(schema)
  if (typeof schema !== 'object' || schema === null) return `${JSON.stringify(schema)} is no schema`
  if (Array.isArray(schema)) return firstFault(schema, (branch) => schemaFault(branch, depth + 1))
  const { type, items, values, fields, symbols, aliases, size, default: fallback } = schema as Record<string, unknown>
  const names = [(schema as Record<string, unknown>).name, ...(Array.isArray(aliases) ? aliases : [])]
  const fault = firstFault(names, (each) => (each === undefined ? undefined : nameFault(each)))
  if (fault !== undefined) return fault
  const namespace = (schema as Record<string, unknown>).namespace
  if (namespace !== undefined && namespace !== '') {
    const wrong = nameFault(namespace)
    if (wrong !== undefined) return wrong
  }
  switch (type) {
    case 'record':
    case 'error':
      if (!Array.isArray(fields)) return 'a record has no fields'
      return firstFault(fields, (field) => fieldFault(field, depth))
    case 'enum':
      if (!Array.isArray(symbols)) return 'an enum has no symbols'
      if (fallback !== undefined && !symbols.includes(fallback))
        return 'the default of an enum is not among its symbols'
      return firstFault(symbols, simpleNameFault)
    case 'fixed':
      return Number.isInteger(size) && (size as number) > 0 ? undefined : 'a fixed has no size above 0'
    case 'array':
      return schemaFault(items, depth + 1)
    case 'map':
      return schemaFault(values, depth + 1)
    default:
      return schemaFault(type, depth + 1)
  }
}

function fieldFault(field: unknown, depth: number): string | undefined {
  if (typeof field !== 'object' || field === null) return 'a field is no object'
  const { name: fieldName, type, aliases } = field as Record<string, unknown>
  const fault = firstFault([fieldName, ...(Array.isArray(aliases) ? aliases : [])], simpleNameFault)
  if (fault !== undefined) return fault
  const inside = schemaFault(type, depth + 1)
  return inside === undefined ? undefined : `field ${String(fieldName)}: ${inside}`
}

function simpleNameFault(value: unknown): string | undefined {
  return isName(value) ? undefined : `${JSON.stringify(value)?.slice(0, 100)} is not an Avro name`
}

/** A name that may carry its namespace before dots. */
function nameFault(value: unknown): string | undefined {
  return typeof value === 'string' && value.split('.').every(isName)
    ? undefined
    : `${JSON.stringify(value)?.slice(0, 100)} is not an Avro name`
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && name.test(value) && value !== reserved
}

function firstFault<T>(all: readonly T[], fault: (each: T) => string | undefined): string | undefined {
  for (const each of all) {
    const found = fault(each)
    if (found !== undefined) return found
  }
  return undefined
}

/**
 * The schema of a text from a registry.
 * @throws StreamError DESERIALIZATION when it is over 1 MiB, not JSON, or breaks the rules of names.
 */
export function parseSchema(text: string, what: string): AvroSchema {
  if (text.length > maxSchemaBytes) {
    throw new StreamError(
      'DESERIALIZATION',
      `${what} has ${text.length} characters, over the limit of ${maxSchemaBytes}`,
    )
  }
  let schema: unknown
  try {
    // A registry may answer a bare name ("string") without quotes.
    schema = name.test(text) ? text : JSON.parse(text)
  } catch (thrown) {
    throw new StreamError('DESERIALIZATION', `${what} is not JSON`, { cause: messageOf(thrown) })
  }
  const fault = schemaFault(schema)
  if (fault !== undefined) throw new StreamError('DESERIALIZATION', `${what} is not an Avro schema: ${fault}`)
  return schema as AvroSchema
}
