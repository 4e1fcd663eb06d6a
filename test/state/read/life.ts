/**
 * A store and a model of it, walked together through commits that succeed and fail, flushes that are under way and restarts, with queries that stay
 * open meanwhile. A query has to give what was committed in the moment it began.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect } from 'vitest'
import { openLevel } from '../../../src/state/level.ts'
import { MemoryByteStore } from '../../../src/state/memory.ts'
import type { ByteStore, ByteWrite, ChangelogRow, StateStore } from '../../../src/state/store.ts'
import { collect, seal } from '../commit.ts'

/** What a store should hold. */
export interface Model<Self, Put> {
  copy(): Self
  put(put: Put): void
}

/** A question, and what a model answers. */
export type Query<M> = (model: M) => {
  readonly ask: () => AsyncIterable<unknown>
  readonly expected: readonly unknown[]
}

export interface Subject<S, M, Put> {
  readonly open: (bytes: ByteStore) => S
  readonly model: () => M
  readonly put: (store: S, put: Put) => void
  /** Called with what is open now: a query asks the store there is. */
  readonly queries: (store: () => S) => fc.Arbitrary<Query<M>>
  readonly puts: fc.Arbitrary<Put>
}

type Step<M, Put> =
  | { readonly kind: 'put'; readonly put: Put }
  | { readonly kind: 'next'; readonly flushes: boolean }
  | { readonly kind: 'expire' | 'discard' | 'restart' }
  | { readonly kind: 'ask'; readonly query: Query<M>; readonly waits: boolean }
  | { readonly kind: 'read'; readonly which: number; readonly rows: number }

interface Asked {
  readonly rows: AsyncIterator<unknown>
  readonly expected: readonly unknown[]
  at: number
  /** Asked for, and not looked at yet. */
  first: Promise<IteratorResult<unknown>> | undefined
}

export async function liveThrough<S extends StateStore, M extends Model<M, Put>, Put>(
  subject: Subject<S, M, Put>,
  bytesOf: () => Promise<ByteStore>,
  runs: number,
): Promise<void> {
  let current: S | undefined
  const step: fc.Arbitrary<Step<M, Put>> = fc.oneof(
    { weight: 12, arbitrary: subject.puts.map((put) => ({ kind: 'put', put }) as const) },
    { weight: 10, arbitrary: fc.boolean().map((flushes) => ({ kind: 'next', flushes }) as const) },
    { weight: 1, arbitrary: fc.constantFrom('discard', 'restart', 'expire').map((kind) => ({ kind }) as const) },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('ask' as const),
        query: subject.queries(() => current as S),
        waits: fc.boolean(),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('read' as const),
        which: fc.nat(),
        rows: fc.integer({ min: 1, max: 4 }),
      }),
    },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 150, size: 'max' }), async (steps) => {
      const bytes = await bytesOf()
      const life = new Life(subject, bytes)
      current = life.store
      for (const one of steps) {
        await life.take(one)
        current = life.store
      }
      await life.readAll()
      await bytes.close()
    }),
    { numRuns: runs },
  )
}

interface Sealed<M> {
  readonly model: M
  /** ms; what a commit keeps beside the positions. */
  readonly streamTime: number
  readonly rows: readonly ChangelogRow[]
}

class Life<S extends StateStore, M extends Model<M, Put>, Put> {
  store: S
  readonly #subject: Subject<S, M, Put>
  readonly #bytes: ByteStore
  readonly #changelog = new Map<string, ChangelogRow>()
  #asked: Asked[] = []
  #live: M
  #sealed: Sealed<M> | undefined
  #committed: M
  #streamTime = -1
  #writes: ByteWrite[] | undefined

  constructor(subject: Subject<S, M, Put>, bytes: ByteStore) {
    this.#subject = subject
    this.#bytes = bytes
    this.store = subject.open(bytes)
    this.#live = subject.model()
    this.#committed = subject.model()
  }

  /** A step that cannot be taken now is left out. */
  async take(step: Step<M, Put>): Promise<void> {
    switch (step.kind) {
      case 'put':
        this.#subject.put(this.store, step.put)
        this.#live.put(step.put)
        break
      case 'next':
        if (this.#writes !== undefined) await this.#endFlush(this.#writes)
        else if (this.#sealed !== undefined) this.#settle(this.#sealed)
        else if (step.flushes) this.#writes = collect(this.store)
        else this.#sealed = { model: this.#live.copy(), streamTime: this.store.streamTime, rows: seal(this.store) }
        break
      case 'expire':
        if (this.#writes === undefined) await this.store.expire()
        break
      case 'discard':
        if (this.#writes !== undefined) await this.#endFlush(this.#writes)
        this.store.discard()
        await this.#restore()
        break
      case 'restart':
        if (this.#writes !== undefined) await this.#endFlush(this.#writes)
        this.store = this.#subject.open(this.#bytes)
        await this.#restore()
        break
      case 'ask':
        await this.#ask(step.query, step.waits)
        break
      case 'read': {
        const asked = this.#asked[step.which % Math.max(1, this.#asked.length)]
        if (asked !== undefined) await this.#read(asked, step.rows)
      }
    }
  }

  async readAll(): Promise<void> {
    for (const asked of this.#asked) await this.#read(asked, Number.POSITIVE_INFINITY)
  }

  /** A query begins when its first row is asked for, which may be long before that is there. */
  async #ask(query: Query<M>, waits: boolean): Promise<void> {
    const { ask, expected } = query(this.#committed)
    const rows = ask()[Symbol.asyncIterator]()
    const first = rows.next()
    const asked: Asked = { rows, expected, at: 0, first }
    this.#asked.push(asked)
    if (waits) await this.#read(asked, 1)
  }

  async #read(asked: Asked, most: number): Promise<void> {
    for (let left = most; left > 0; left--) {
      const next = await (asked.first ?? asked.rows.next())
      asked.first = undefined
      if (next.done === true) {
        expect(asked.at).toBe(asked.expected.length)
        this.#asked = this.#asked.filter((one) => one !== asked)
        return
      }
      expect(next.value).toEqual(asked.expected[asked.at])
      asked.at++
    }
  }

  #settle({ model, streamTime, rows }: Sealed<M>): void {
    this.#streamTime = streamTime
    for (const row of rows) this.#changelog.set(row.key.toString('hex'), row)
    this.#committed = model
    this.#sealed = undefined
    this.store.settle()
  }

  async #endFlush(writes: readonly ByteWrite[]): Promise<void> {
    // A query may begin while the write is under way.
    const written = this.#bytes.write(writes)
    for (const asked of [...this.#asked]) await this.#read(asked, 1)
    await written
    this.store.flushed()
    this.#writes = undefined
  }

  async #restore(): Promise<void> {
    this.#sealed = undefined
    this.#live = this.#committed.copy()
    for (const row of this.#changelog.values()) await this.#bytes.write([this.store.restore(row)])
    if (this.store.isTimed) this.store.recoverStreamTime(this.#streamTime)
    await this.store.load()
  }
}

export async function inMemory(): Promise<ByteStore> {
  return new MemoryByteStore()
}

/** Byte stores on disk, each new and empty, in a directory that `remove` deletes. */
export async function onDisk(): Promise<{
  readonly open: () => Promise<ByteStore>
  readonly remove: () => Promise<void>
}> {
  const directory = await mkdtemp(join(tmpdir(), 'streamctl-read-'))
  let count = 0
  return {
    open: () => openLevel(join(directory, `${count++}`), { createIfMissing: true }),
    remove: () => rm(directory, { recursive: true, force: true }),
  }
}

/** As `liveThrough`, each store in a directory of its own. */
export async function liveOnDisk<S extends StateStore, M extends Model<M, Put>, Put>(
  subject: Subject<S, M, Put>,
  runs: number,
): Promise<void> {
  const disk = await onDisk()
  try {
    await liveThrough(subject, disk.open, runs)
  } finally {
    await disk.remove()
  }
}

/** An answer of one row as rows, none when there is none. */
export function one(ask: () => Promise<unknown>): () => AsyncIterable<unknown> {
  return async function* () {
    const row = await ask()
    if (row !== undefined) yield row
  }
}
