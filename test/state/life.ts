/**
 * The life of a store under test, as a task walks it. Each layer (live, sealed, committed, flushed) is a state of the test's model, an object that
 * nobody changes; what the bytes lack of the committed comes back from the changelog.
 */

import fc from 'fast-check'
import { expect } from 'vitest'
import type { ByteStore, ChangelogRow, StateStore } from '../../src/state/store.ts'
import { collect, seal } from './commit.ts'

/** A state of the model; `time` is its stream time. */
export interface World {
  readonly time: number
}

export interface LifeStep {
  readonly do: 'seal' | 'settle' | 'flush' | 'expire' | 'discard' | 'reopen' | 'restore'
}

const often: Readonly<Record<LifeStep['do'], number>> = {
  seal: 3,
  settle: 3,
  flush: 2,
  expire: 2,
  discard: 1,
  reopen: 1,
  restore: 1,
}

/** The steps of a life beside those of the test: to go into a `fc.oneof`. Those that come too early do nothing. */
export const lifeSteps = Object.entries(often).map(([name, weight]) => ({
  weight,
  arbitrary: fc.constant({ do: name } as LifeStep),
}))

export interface LifeOptions<S extends StateStore, W extends World> {
  readonly bytes: ByteStore
  /** The model of a store that holds nothing. */
  readonly nothing: W
  /** @param flushed what the bytes hold; undefined: nothing, and the store is told so. */
  readonly open: (flushed: W | undefined) => S
  /** Compares what the store says with its model. */
  readonly check: (store: S, live: W) => void
  /** Told of each seal. */
  readonly sealed?: (rows: readonly ChangelogRow[]) => void
  /** What is left of the changelog when all of it is replayed. Default: all. */
  readonly compacted?: (changelog: readonly ChangelogRow[]) => readonly ChangelogRow[]
}

export class Life<S extends StateStore, W extends World> {
  store: S
  /** The model as the store is to be seen now: whoever writes to the store sets it. */
  live: W
  readonly #options: LifeOptions<S, W>
  #sealed: { readonly world: W; readonly rows: readonly ChangelogRow[] } | undefined
  #committed: W
  #flushed: W
  /** Of what is committed, and how much of it the bytes have. */
  #changelog: readonly ChangelogRow[] = []
  #checkpoint = 0

  constructor(options: LifeOptions<S, W>) {
    this.#options = options
    this.store = options.open(undefined)
    this.live = options.nothing
    this.#committed = options.nothing
    this.#flushed = options.nothing
  }

  get committed(): W {
    return this.#committed
  }

  get changelog(): readonly ChangelogRow[] {
    return this.#changelog
  }

  check(): void {
    this.#options.check(this.store, this.live)
    expect(this.store.streamTime).toBe(this.live.time)
  }

  async step({ do: name }: LifeStep): Promise<void> {
    switch (name) {
      case 'seal':
        this.#seal()
        return
      case 'settle':
        this.#settle()
        return
      case 'flush':
        await this.#flush()
        return
      case 'expire':
        await this.store.expire()
        break
      case 'discard':
        await this.#discard()
        break
      case 'reopen':
        this.store = this.#options.open(this.#flushed)
        this.store.recoverStreamTime(this.#flushed.time)
        await this.#replay()
        break
      case 'restore':
        // All of it, as after a loss of the files.
        await this.#options.bytes.deleteRange(Buffer.alloc(0), Buffer.alloc(20, 0xff))
        this.#changelog = this.#options.compacted?.(this.#changelog) ?? this.#changelog
        this.#checkpoint = 0
        await this.#discard()
        break
    }
    this.check()
  }

  /** Commits what is under way: sealed, or else live. */
  settle(): void {
    this.#seal()
    this.#settle()
  }

  #seal(): void {
    if (this.#sealed !== undefined) return
    const rows = seal(this.store)
    this.#sealed = { world: this.live, rows }
    this.#options.sealed?.(rows)
  }

  #settle(): void {
    if (this.#sealed === undefined) return
    this.store.settle()
    this.#changelog = [...this.#changelog, ...this.#sealed.rows]
    this.#committed = this.#sealed.world
    this.#sealed = undefined
  }

  async #flush(): Promise<void> {
    if (this.#sealed !== undefined) return
    await this.#options.bytes.write(collect(this.store))
    // Written, and the store does not know it yet.
    this.check()
    this.store.flushed()
    this.#checkpoint = this.#changelog.length
    this.#flushed = this.#committed
  }

  async #discard(): Promise<void> {
    this.store.discard()
    expect(this.store.streamTime).toBe(this.#committed.time)
    await this.#replay()
  }

  async #replay(): Promise<void> {
    for (const row of this.#changelog.slice(this.#checkpoint)) {
      await this.#options.bytes.write([this.store.restore(row)])
    }
    expect(this.store.streamTime).toBeLessThanOrEqual(this.#committed.time)
    // What the checkpoint of the replay says.
    this.store.recoverStreamTime(this.#committed.time)
    await this.store.load()
    this.#checkpoint = this.#changelog.length
    this.#flushed = this.#committed
    this.live = this.#committed
    this.#sealed = undefined
  }
}
