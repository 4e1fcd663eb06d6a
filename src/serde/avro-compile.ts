/** From a checked schema to avsc's type, always with bigint longs and plain records; the one place that loads avsc. */

import { createRequire } from 'node:module'
import type avsc from 'avsc'
import { messageOf, StreamError } from '../common/errors.ts'
import { longMethods } from './avro-long.ts'
import type { AvroSchema } from './avro-type.ts'

/** Loaded at the first schema: whoever has no Avro does not wait for it. */
let loaded: { readonly avsc: typeof avsc; readonly long: avsc.Type } | undefined

function load(): NonNullable<typeof loaded> {
  if (loaded === undefined) {
    const module = createRequire(import.meta.url)('avsc') as typeof avsc
    loaded = { avsc: module, long: module.types.LongType.__with(longMethods, true) }
  }
  return loaded
}

/**
 * Compiles our own schema (`unions: 'never'`: branches as plain values) or a writer's (`'auto'`: it is only resolved to ours).
 * @throws StreamError with the code when the schema is none, or a union's branches cannot be told apart.
 */
export function compileAvro(
  schema: AvroSchema,
  unions: 'never' | 'auto',
  code: 'INVALID_TOPOLOGY' | 'DESERIALIZATION',
): avsc.Type {
  const { avsc, long } = load()
  try {
    return avsc.Type.forSchema(schema as avsc.Schema, {
      wrapUnions: unions,
      omitRecordMethods: true,
      registry: Object.create(null) as { [name: string]: avsc.Type },
      typeHook(each, options) {
        if (each === 'long') return long
        if (typeof each !== 'object' || Array.isArray(each)) return undefined
        const { type } = each as { type?: unknown }
        if (type === 'long') return long
        // {"type": {"type": ...}}: legal, and not known to avsc.
        return typeof type === 'object' ? avsc.Type.forSchema(type as avsc.Schema, options) : undefined
      },
    })
  } catch (thrown) {
    const message = messageOf(thrown)
    if (message.startsWith('ambiguous unwrapped union')) {
      throw new StreamError(code, 'a union has two branches that a plain value cannot tell apart', {
        cause: thrown,
        hint: 'A union takes at most one of int, float and double; string and enum; bytes and fixed; record and map. Put the others in a record of their own with nullable fields.',
      })
    }
    throw new StreamError(code, `not an Avro schema: ${message.slice(0, 300)}`, { cause: thrown })
  }
}
