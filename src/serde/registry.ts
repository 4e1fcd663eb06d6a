/** Where schemas live, as the avro serde sees it: ids for schemas and schemas for ids. */

import { createHash } from 'node:crypto'
import { StreamError } from '../common/errors.ts'

export interface SchemaRegistry {
  /** For messages: its address, without credentials. */
  readonly name: string
  /**
   * The id of the schema under a subject; the same again when it is there already.
   * Rejects with UNREACHABLE, UNAUTHORIZED, or INVALID_TOPOLOGY when the registry refuses the schema.
   */
  register(subject: string, schema: string): Promise<number>
  /**
   * The schema of an id, null when the registry has none.
   * Rejects with UNREACHABLE or UNAUTHORIZED; with DESERIALIZATION when the schema is no Avro schema.
   */
  schema(id: number): Promise<string | null>
}

/**
 * The registry of this process: no server, no file. An id comes from the schema's text, so that every thread and every
 * run gives a schema the same id and no other schema ever gets it; but only schemas that this process has declared
 * can be looked up.
 */
export class LocalRegistry implements SchemaRegistry {
  readonly name = 'the in-process registry'
  readonly #schemas = new Map<number, string>()

  /** Known to look-ups from now on; without waiting. */
  add(schema: string): number {
    const id = createHash('sha256').update(schema).digest().readUInt32BE(0) & 0x7fffffff
    const other = this.#schemas.get(id)
    if (other !== undefined && other !== schema) {
      throw new StreamError('INTERNAL', `two schemas have the id ${id} in ${this.name}`, {
        hint: 'Change the doc of one of them, or use a schema registry.',
      })
    }
    this.#schemas.set(id, schema)
    return id
  }

  async register(_subject: string, schema: string): Promise<number> {
    return this.add(schema)
  }

  async schema(id: number): Promise<string | null> {
    return this.find(id)
  }

  find(id: number): string | null {
    return this.#schemas.get(id) ?? null
  }
}

/** The one that serdes without a registry share. */
export const localRegistry = new LocalRegistry()
