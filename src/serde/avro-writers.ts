/** Writers' schemas by id: fetched before a batch is read, so that reading a record never waits. */

import type { Resolver, Type } from 'avsc'
import { messageOf, StreamError } from '../common/errors.ts'
import { type Clock, systemClock } from '../common/time.ts'
import { boundsCheck } from './avro-bounds.ts'
import { compileAvro } from './avro-compile.ts'
import { parseSchema } from './avro-schema.ts'
import { LocalRegistry, type SchemaRegistry } from './registry.ts'

/** How to read what one writer wrote. */
export interface WriterSchema {
  readonly check: (bytes: Buffer, start: number) => void
  /** From the writer's schema to ours; undefined when they are the same. */
  readonly resolver: Resolver | undefined
}

type Entry =
  | { readonly kind: 'known'; readonly writer: WriterSchema }
  | { readonly kind: 'refused'; readonly error: StreamError }
  /** The registry has no such id; asked again after `until`, since a follower of the registry may lag. */
  | { readonly kind: 'unknown'; readonly until: number }

const headerBytes = 5
const maxEntries = 1000
const unknownForMs = 60_000
const requestsAtOnce = 16

export class WriterSchemas {
  readonly #reader: Type
  readonly #what: string
  readonly #registry: () => SchemaRegistry
  readonly #clock: Clock
  /** In order of use, oldest first. */
  readonly #entries = new Map<number, Entry>()

  constructor(reader: Type, what: string, registry: () => SchemaRegistry, clock: Clock = systemClock) {
    this.#reader = reader
    this.#what = what
    this.#registry = registry
    this.#clock = clock
  }

  /**
   * Fetches the schemas the batch needs, but that of `ownId`; undefined when all are here. Rejects when the registry cannot
   * be reached.
   */
  prepare(batch: readonly Buffer[], ownId: number | undefined): Promise<void> | undefined {
    let missing: Set<number> | undefined
    let last = Number.NaN
    for (const bytes of batch) {
      if (bytes.length < headerBytes || bytes[0] !== 0) continue
      const id = bytes.readInt32BE(1)
      if (id === last || id === ownId) continue
      last = id
      const entry = this.#entries.get(id)
      if (entry === undefined || (entry.kind === 'unknown' && entry.until <= this.#clock())) {
        missing ??= new Set()
        missing.add(id)
      } else if (this.#entries.size > maxEntries / 2) {
        this.#entries.delete(id)
        this.#entries.set(id, entry)
      }
    }
    return missing && this.#fetch([...missing])
  }

  /** @throws StreamError DESERIALIZATION for an id that the registry does not have, or whose schema does not become ours. */
  of(id: number): WriterSchema {
    const entry = this.#entries.get(id) ?? this.#local(id)
    if (entry?.kind === 'known') return entry.writer
    if (entry?.kind === 'refused') throw entry.error
    if (entry === undefined) {
      throw new StreamError('DESERIALIZATION', `schema ${id} is not the schema of ${this.#what}, and was not fetched`, {
        hint: 'A row of a store that was written under another schema, or with another registry, cannot be read: give the store another name, or run under another --app-id.',
      })
    }
    const registry = this.#registry()
    throw new StreamError('DESERIALIZATION', `schema id ${id} is not in ${registry.name}`, {
      hint:
        registry instanceof LocalRegistry
          ? 'It knows the schemas this process declares. Was the record written with an earlier version of the schema, or elsewhere? Set STREAMCTL_REGISTRY to the URL of the registry.'
          : 'Was the record written with another registry? Set STREAMCTL_REGISTRY, or the option `registry` of avro().',
    })
  }

  async #fetch(ids: readonly number[]): Promise<void> {
    const registry = this.#registry()
    for (let from = 0; from < ids.length; from += requestsAtOnce) {
      const some = ids.slice(from, from + requestsAtOnce)
      await Promise.all(some.map(async (id) => this.#entries.set(id, await this.#ask(registry, id))))
    }
    // The ids of this batch are the newest, so that none of them goes.
    const keep = Math.max(maxEntries, ids.length)
    for (const id of this.#entries.keys()) {
      if (this.#entries.size <= keep) break
      this.#entries.delete(id)
    }
  }

  async #ask(registry: SchemaRegistry, id: number): Promise<Entry> {
    let text: string | null
    try {
      text = id < 0 ? null : await registry.schema(id)
    } catch (thrown) {
      if (thrown instanceof StreamError && thrown.code === 'DESERIALIZATION') return { kind: 'refused', error: thrown }
      throw thrown
    }
    return this.#entry(id, text)
  }

  /** The registry of this process answers without waiting. */
  #local(id: number): Entry | undefined {
    const registry = this.#registry()
    if (!(registry instanceof LocalRegistry)) return undefined
    const entry = this.#entry(id, registry.find(id))
    this.#entries.set(id, entry)
    return entry
  }

  #entry(id: number, text: string | null): Entry {
    if (text === null) return { kind: 'unknown', until: this.#clock() + unknownForMs }
    try {
      return { kind: 'known', writer: this.#compile(id, text) }
    } catch (thrown) {
      if (thrown instanceof StreamError && thrown.code === 'DESERIALIZATION') return { kind: 'refused', error: thrown }
      throw thrown
    }
  }

  #compile(id: number, text: string): WriterSchema {
    const type = compileAvro(parseSchema(text, `schema ${id}`), 'auto', 'DESERIALIZATION')
    return {
      check: boundsCheck(type, this.#what),
      resolver: type.equals(this.#reader) ? undefined : this.#resolver(id, type),
    }
  }

  #resolver(id: number, writer: Type): Resolver {
    try {
      return this.#reader.createResolver(writer)
    } catch (thrown) {
      throw new StreamError(
        'DESERIALIZATION',
        `schema ${id} does not resolve to ${this.#what}: ${messageOf(thrown).slice(0, 300)}`,
        {
          cause: thrown,
          hint: 'Give the fields the writer does not have a default, and take its types or wider ones.',
        },
      )
    }
  }
}
