/** Avro in Confluent's wire format, read by the letter of the specification: nothing of it comes from the library under test. */

import type { FakeRegistry } from '../../support/registry.ts'

type Schema = string | { readonly type: Schema; readonly [more: string]: unknown } | readonly Schema[]

export interface AvroMessage {
  readonly id: number
  /** Longs are bigints. */
  readonly value: unknown
}

export function readAvro(bytes: Buffer, registry: Pick<FakeRegistry, 'schemas'>): AvroMessage {
  if (bytes[0] !== 0) throw new Error(`the first byte is ${bytes[0]}`)
  const id = bytes.readInt32BE(1)
  const known = registry.schemas.get(id)
  if (known === undefined) throw new Error(`schema ${id} is not in the registry`)
  const reader = { bytes, at: 5, named: new Map<string, Schema>() }
  const value = read(reader, JSON.parse(known.schema) as Schema)
  if (reader.at !== bytes.length) throw new Error(`${bytes.length - reader.at} bytes are left`)
  return { id, value }
}

interface Reader {
  readonly bytes: Buffer
  at: number
  readonly named: Map<string, Schema>
}

function read(reader: Reader, schema: Schema): unknown {
  if (Array.isArray(schema)) return read(reader, (schema as readonly Schema[])[Number(long(reader))] as Schema)
  if (typeof schema === 'object') {
    const { type, name, fields, symbols } = schema as { type: Schema } & {
      name: string
      fields: { name: string; type: Schema }[]
      symbols: string[]
    }
    if (name !== undefined) reader.named.set(name, schema)
    if (type === 'record') return Object.fromEntries(fields.map((field) => [field.name, read(reader, field.type)]))
    if (type === 'enum') return symbols[Number(long(reader))]
    return read(reader, type)
  }
  switch (schema) {
    case 'null':
      return null
    case 'int':
      return Number(long(reader))
    case 'long':
      return long(reader)
    case 'string': {
      const length = Number(long(reader))
      reader.at += length
      return reader.bytes.toString('utf8', reader.at - length, reader.at)
    }
    default: {
      const known = reader.named.get(schema as string)
      if (known === undefined) throw new Error(`the type ${JSON.stringify(schema)} is not read here`)
      return read(reader, known)
    }
  }
}

function long(reader: Reader): bigint {
  let zigzag = 0n
  for (let shift = 0n; ; shift += 7n) {
    const byte = reader.bytes[reader.at++] as number
    zigzag |= BigInt(byte & 0x7f) << shift
    if (byte < 0x80) return (zigzag >> 1n) ^ -(zigzag & 1n)
  }
}
