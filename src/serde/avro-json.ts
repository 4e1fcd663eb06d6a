/** Avro values from plain JSON, by their schema: longs become bigints and base64 becomes bytes; everything else the schema's own check judges. */

import { StreamError } from '../common/errors.ts'
import type { AvroSchema } from './avro-type.ts'

type Names = Map<string, AvroSchema>
type Converter = (json: unknown, path: string) => unknown

/** Turns JSON into what `serialize` of the schema takes; defaults fill absent fields. A long beyond 2^53 comes as a string. */
export function avroFromJson(schema: AvroSchema): (json: unknown) => unknown {
  const convert = converter(schema, new Map())
  return (json) => convert(json, '')
}

function converter(schema: AvroSchema, names: Names): Converter {
  if (Array.isArray(schema)) {
    const branches = (schema as readonly AvroSchema[]).map(
      (branch) => [kindOf(branch, names), converter(branch, names)] as const,
    )
    return (json, path) => union(branches, json, path)
  }
  if (typeof schema === 'string') {
    const named = names.get(lastPart(schema))
    // Made when met: a record may hold itself.
    return named === undefined ? (primitives[schema] ?? asItIs) : (json, path) => converter(named, names)(json, path)
  }
  const { type, name, fields, items, values } = schema as { type: AvroSchema } & Record<string, unknown>
  if (typeof name === 'string') names.set(lastPart(name), schema as AvroSchema)
  switch (type) {
    case 'record':
      return record(fields as readonly Field[], names)
    case 'array': {
      const item = converter(items as AvroSchema, names)
      return (json, path) => (Array.isArray(json) ? json.map((each, i) => item(each, `${path}[${i}]`)) : json)
    }
    case 'map': {
      const value = converter(values as AvroSchema, names)
      return (json, path) => {
        if (!isObject(json)) return json
        return Object.fromEntries(Object.entries(json).map(([key, each]) => [key, value(each, `${path}.${key}`)]))
      }
    }
    case 'fixed':
      return toBytes
    case 'enum':
      return asItIs
    default:
      return converter(type, names)
  }
}

interface Field {
  readonly name: string
  readonly type: AvroSchema
  readonly default?: unknown
}

function record(fields: readonly Field[], names: Names): Converter {
  const converters = fields.map((field) => [field, converter(field.type, names)] as const)
  return (json, path) => {
    if (!isObject(json)) return json
    for (const key of Object.keys(json)) {
      if (!fields.some((field) => field.name === key))
        throw wrong(path, `the schema has no field ${JSON.stringify(key)}`)
    }
    const result: Record<string, unknown> = {}
    for (const [field, convert] of converters) {
      const given = Object.hasOwn(json, field.name) ? json[field.name] : field.default
      result[field.name] = given === undefined ? undefined : convert(given, `${path}.${field.name}`)
    }
    return result
  }
}

/** JSON of a kind goes to the first branch that such a value can be of. */
function union(branches: readonly (readonly [string, Converter])[], json: unknown, path: string): unknown {
  const wanted = jsonKinds(json)
  for (const kind of wanted) {
    const branch = branches.find(([of]) => of === kind)
    if (branch !== undefined) return branch[1](json, path)
  }
  return json
}

function jsonKinds(json: unknown): readonly string[] {
  if (json === null) return ['null']
  if (Array.isArray(json)) return ['array']
  switch (typeof json) {
    case 'number':
      return Number.isInteger(json) ? ['long', 'int', 'double', 'float'] : ['double', 'float']
    case 'string':
      return ['string', 'enum', 'long', 'bytes', 'fixed']
    case 'object':
      return ['record', 'map']
    default:
      return [typeof json]
  }
}

function kindOf(schema: AvroSchema, names: Names): string {
  if (typeof schema === 'string') {
    const named = names.get(lastPart(schema))
    return named === undefined ? schema : kindOf(named, names)
  }
  return Array.isArray(schema) ? 'union' : kindOf((schema as { type: AvroSchema }).type, new Map())
}

const asItIs: Converter = (json) => json

const primitives: Readonly<Record<string, Converter>> = Object.freeze({
  __proto__: null as never,
  long(json: unknown, path: string): unknown {
    if (typeof json === 'bigint') return json
    if (typeof json === 'number' && Number.isSafeInteger(json)) return BigInt(json)
    if (typeof json === 'string' && /^-?\d{1,19}$/.test(json)) return BigInt(json)
    throw wrong(path, 'a long is a whole number, beyond 2^53 as a string')
  },
  double: number,
  float: number,
  bytes: toBytes,
})

function number(json: unknown): unknown {
  return json === 'NaN' || json === 'Infinity' || json === '-Infinity' ? Number(json) : json
}

function toBytes(json: unknown, path: string): unknown {
  if (typeof json === 'string' && json.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(json)) {
    return Buffer.from(json, 'base64')
  }
  throw wrong(path, 'bytes are a base64 string')
}

function isObject(json: unknown): json is Record<string, unknown> {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}

function wrong(path: string, message: string): StreamError {
  return new StreamError('SERIALIZATION', path === '' ? message : `at ${path.replace(/^\./, '')}: ${message}`)
}
