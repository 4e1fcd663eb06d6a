/** Avro values in Confluent's wire format: every record names its writer's schema, and is read as ours or refused. */

import { createHash } from 'node:crypto'
import type { Type } from 'avsc'
import { messageOf, StreamError } from '../common/errors.ts'
import { boundsCheck } from './avro-bounds.ts'
import { compileAvro } from './avro-compile.ts'
import { avroFromJson } from './avro-json.ts'
import { schemaFault } from './avro-schema.ts'
import type { AvroSchema, AvroType } from './avro-type.ts'
import { WriterSchemas } from './avro-writers.ts'
import { LocalRegistry, localRegistry, type SchemaRegistry } from './registry.ts'
import { registryAt } from './registry-url.ts'
import type { Serde } from './serde.ts'
import { byteCount } from './text.ts'

export interface AvroOptions {
  /**
   * URL of a Confluent schema registry, with `user:password@` where it asks for them, or anything that answers like one.
   * Default: the environment's STREAMCTL_REGISTRY; without that the registry of this process, which is no server and
   * knows only the schemas that this process declares. The bytes have the same shape with either, but the ids of the
   * latter mean nothing to other programs.
   */
  readonly registry?: string | SchemaRegistry
  /**
   * Subject to register under. Default: `<topic>-value` or `<topic>-key` of each sink (Confluent: TopicNameStrategy),
   * and the schema's full name where only stores and internal topics hold it.
   */
  readonly subject?: string
  /**
   * `confluent` (default): a byte 0, the schema's id as 4 bytes, big-endian, then the value. `none`: the value alone,
   * which only the very schema that wrote it can read.
   */
  readonly framing?: 'confluent' | 'none'
}

const headerBytes = 5
const keptScratchBytes = 1024 * 1024
/** Where values are written before their length is known; shared, since nothing waits in between. */
let scratch = Buffer.allocUnsafeSlow(8192)

/**
 * Avro, with the type of its values from the schema literal: `avro({ type: 'record', name: 'Order', fields: [...] })`, or a
 * constant declared `as const`. A `long` is a bigint always; a union is its plain branches, which must differ at run time
 * (not record and record, string and enum, int and double); logical types are what they annotate.
 * @throws StreamError INVALID_TOPOLOGY for a schema that is none; INVALID_ARGUMENT for a registry that is no URL. Later
 * DESERIALIZATION for bytes that do not read as the writer's schema, or an unknown schema id; SERIALIZATION for a value
 * that is not of the schema, naming the field.
 */
export function avro<const S extends AvroSchema>(schema: S, options: AvroOptions = {}): Serde<AvroType<S>> {
  const fault = schemaFault(schema)
  if (fault !== undefined) throw new StreamError('INVALID_TOPOLOGY', `not an Avro schema: ${fault}`)
  const type = compileAvro(schema, 'never', 'INVALID_TOPOLOGY')
  const fullName = type.name ?? type.typeName
  const format = `avro:${fullName.slice(fullName.lastIndexOf('.') + 1)}`

  const fromJson = avroFromJson(schema) as (json: unknown) => AvroType<S>
  const text = JSON.stringify(schema)
  const fingerprint = createHash('sha256').update(text).digest('hex').slice(0, 16)
  const check = boundsCheck(type, format)

  if (options.framing === 'none') {
    return Object.freeze({
      format: `${format}:unframed`,
      fingerprint,
      primitive: false,
      fromJson,
      serialize: (value: AvroType<S>) => write(type, value, format, -1),
      deserialize(bytes: Buffer): AvroType<S> {
        check(bytes, 0)
        return decode(type, bytes, 0, undefined, format) as AvroType<S>
      },
    })
  }

  localRegistry.add(text)
  const registry = registryOf(options.registry)
  const writers = new WriterSchemas(type, format, registry)
  let ownId: number | undefined
  return Object.freeze({
    format,
    fingerprint,
    primitive: false,
    fromJson,
    serialize(value: AvroType<S>): Buffer {
      ownId ??= idWithoutWaiting(registry(), text, format)
      return write(type, value, format, ownId)
    },
    deserialize(bytes: Buffer): AvroType<S> {
      const id = writerId(bytes, format)
      if (id === ownId) {
        // What this serde wrote itself, rows of its stores above all: nothing has to be fetched for it.
        check(bytes, headerBytes)
        return decode(type, bytes, headerBytes, undefined, format) as AvroType<S>
      }
      const writer = writers.of(id)
      writer.check(bytes, headerBytes)
      return decode(type, bytes, headerBytes, writer.resolver, format) as AvroType<S>
    },
    prepare: (batch: readonly Buffer[]) => writers.prepare(batch, ownId),
    async open(topic?: string, part: 'key' | 'value' = 'value'): Promise<void> {
      if (topic === undefined && ownId !== undefined) return
      const subject = options.subject ?? (topic === undefined ? fullName : `${topic}-${part}`)
      ownId = await registry().register(subject, text)
    },
  })
}

/** A URL is checked at once; the environment is read at the first use, when the command line has had its say. */
function registryOf(option: string | SchemaRegistry | undefined): () => SchemaRegistry {
  let registry = typeof option === 'string' ? registryAt(option) : option
  return () => {
    if (registry === undefined) {
      const url = process.env.STREAMCTL_REGISTRY
      registry = url ? registryAt(url) : localRegistry
    }
    return registry
  }
}

function idWithoutWaiting(registry: SchemaRegistry, text: string, format: string): number {
  if (registry instanceof LocalRegistry) return registry.add(text)
  throw new StreamError('INTERNAL', `${format} has no schema id yet: open() was not awaited`)
}

/** Id of the schema a record was written with (Confluent: wire format). */
function writerId(bytes: Buffer, format: string): number {
  if (bytes.length < headerBytes) {
    throw unframed(
      bytes.length === 0
        ? `an empty value is not ${format}`
        : `${byteCount(bytes.length)} cannot hold the 5 of a schema id's header`,
    )
  }
  if (bytes[0] !== 0) throw unframed(`the first byte is ${bytes[0]}, not the 0 that a schema id follows`)
  return bytes.readInt32BE(1)
}

function unframed(message: string): StreamError {
  return new StreamError('DESERIALIZATION', message, {
    hint: "Records without a schema id read with avro(schema, { framing: 'none' }).",
  })
}

function decode(
  type: Type,
  bytes: Buffer,
  start: number,
  resolver: Parameters<Type['decode']>[2],
  format: string,
): unknown {
  let result: { value: unknown; offset: number }
  try {
    result = type.decode(bytes, start, resolver)
  } catch (thrown) {
    throw new StreamError('DESERIALIZATION', `not ${format}: ${messageOf(thrown).slice(0, 300)}`, { cause: thrown })
  }
  if (result.offset === bytes.length) return result.value
  throw new StreamError(
    'INTERNAL',
    `${format}: the reader stopped at ${result.offset} of ${bytes.length} checked bytes`,
  )
}

/** The bytes of a value, behind the header when there is an id. */
function write(type: Type, value: unknown, format: string, id: number): Buffer {
  let buffer = scratch
  let end: number
  try {
    end = type.encode(value, buffer, headerBytes)
    if (end < 0) {
      buffer = Buffer.allocUnsafeSlow(buffer.length - end)
      if (buffer.length <= keptScratchBytes) scratch = buffer
      end = type.encode(value, buffer, headerBytes)
    }
  } catch (thrown) {
    throw new StreamError('SERIALIZATION', `the value is not ${format}${mismatch(type, value)}`, { cause: thrown })
  }
  const start = id < 0 ? headerBytes : 0
  if (start === 0) {
    buffer[0] = 0
    buffer.writeInt32BE(id, 1)
  }
  const bytes = Buffer.allocUnsafe(end - start)
  buffer.copy(bytes, 0, start, end)
  // avsc writes half a surrogate pair as it stands or as U+FFFD; one of these two bytes gives it away.
  if ((bytes.includes(0xed) || bytes.includes(0xef)) && !isWellFormed(value)) {
    throw new StreamError(
      'SERIALIZATION',
      `a string of the ${format} holds half a surrogate pair, which UTF-8 cannot write`,
    )
  }
  return bytes
}

function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return true
  return Object.entries(value).every(([key, inside]) => key.isWellFormed() && isWellFormed(inside))
}

/** The first field that does not fit, without its value, which may be personal. */
function mismatch(type: Type, value: unknown): string {
  let found = ''
  type.isValid(value, {
    errorHook(path, wrong: unknown, expected) {
      if (found !== '') return
      const kind = wrong === null ? 'null' : Array.isArray(wrong) ? 'array' : typeof wrong
      const wanted =
        expected.typeName === 'abstract:long' ? 'long (a bigint)' : `${expected.typeName} ${expected.name ?? ''}`.trim()
      found = `: ${path.length > 0 ? `at ${path.join('.')} ` : ''}${kind} where ${wanted} is expected`
    },
  })
  return found
}
