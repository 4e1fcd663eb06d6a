/**
 * The bytes of one task in a store of the user's. Invariant: as with our own, what it hands out is either empty or exactly the rows its checkpoint
 * speaks of; and whatever the store does wrong is told with the name of its supplier.
 */

import { mkdir } from 'node:fs/promises'
import type { ByteRow, ByteSnapshot, ByteStore, ByteWrite } from '../common/byte-store.ts'
import { messageOf, StreamError } from '../common/errors.ts'
import type { StoreContext, StoreSupplier } from '../common/storage.ts'
import { deleteAll, trustedCheckpoint } from './checkpoint.ts'
import { closedWhileRead } from './closed.ts'
import type { TaskState } from './task-state.ts'

const methods = ['get', 'write', 'deleteRange', 'scan', 'snapshot', 'close'] as const

/**
 * @param context its directory is created if need be.
 * @param warn told, in one sentence, when state was wiped.
 * @throws StreamError INVALID_ARGUMENT when the store cannot be opened, or is none; PROCESSING when it does not do what it is there for.
 */
export async function openSupplied(
  supplier: StoreSupplier,
  context: StoreContext,
  warn: (message: string) => void,
): Promise<TaskState> {
  const { task } = context
  const bytes = new SuppliedBytes(await open(supplier, context), supplier.name, task)
  try {
    const close = (): Promise<void> => bytes.close()
    const checkpoint = await trustedCheckpoint(bytes)
    if (typeof checkpoint !== 'string') return { bytes, checkpoint, close }
    warn(`state of task ${task} in ${supplier.name} was wiped and is rebuilt from its changelog: ${checkpoint}`)
    await deleteAll(bytes)
    return { bytes, checkpoint: null, close }
  } catch (thrown) {
    await bytes.close().catch(() => undefined)
    throw thrown
  }
}

async function open(supplier: StoreSupplier, context: StoreContext): Promise<ByteStore> {
  const { name } = supplier
  const { task, dir } = context
  const where = { task }
  let opened: unknown
  try {
    if (dir !== null) await mkdir(dir, { recursive: true, mode: 0o700 })
    opened = await supplier.open(Object.freeze(context))
  } catch (thrown) {
    if (thrown instanceof StreamError) throw thrown
    throw new StreamError('INVALID_ARGUMENT', `supplier ${name}: open of task ${task}: ${messageOf(thrown)}`, {
      cause: thrown,
      where,
      hint: 'The error came from the `open` of the supplier that is the `storage` of a store.',
    })
  }
  const given = (typeof opened === 'object' && opened !== null ? opened : {}) as Partial<Record<string, unknown>>
  const missing = methods.filter((method) => typeof given[method] !== 'function')
  if (missing.length === 0) return opened as ByteStore
  throw new StreamError('INVALID_ARGUMENT', `supplier ${name}: what \`open\` gave has no ${missing.join(', ')}`, {
    where,
    hint: 'Let `open` return a ByteStore, and try it with checkStoreSupplier of streamctl/testing.',
  })
}

class SuppliedBytes implements ByteStore {
  readonly #store: ByteStore
  readonly #name: string
  readonly #task: string
  #isClosed = false

  constructor(store: ByteStore, name: string, task: string) {
    this.#store = store
    this.#name = name
    this.#task = task
  }

  get(key: Buffer): Buffer | undefined {
    let value: unknown
    try {
      value = this.#store.get(key)
    } catch (thrown) {
      throw this.#failed('get', thrown)
    }
    if (value === undefined || Buffer.isBuffer(value)) return value
    throw this.#failed('get', new TypeError('it gave neither a Buffer nor undefined; it must not be async'))
  }

  async write(writes: readonly ByteWrite[]): Promise<void> {
    try {
      await this.#store.write(writes)
    } catch (thrown) {
      throw this.#failed('write', thrown)
    }
  }

  async deleteRange(from: Buffer, to: Buffer): Promise<void> {
    try {
      await this.#store.deleteRange(from, to)
    } catch (thrown) {
      throw this.#failed('deleteRange', thrown)
    }
  }

  async *scan(from: Buffer, to: Buffer): AsyncGenerator<ByteRow> {
    try {
      yield* this.#store.scan(from, to)
    } catch (thrown) {
      throw this.#failed('scan', thrown)
    }
  }

  snapshot(): ByteSnapshot {
    this.#check()
    let snapshot: ByteSnapshot
    try {
      snapshot = this.#store.snapshot()
    } catch (thrown) {
      throw this.#failed('snapshot', thrown)
    }
    const check = (): void => this.#check()
    // What fails once the store is closed failed by that.
    const failed = (thrown: unknown): unknown =>
      this.#isClosed ? closedWhileRead(thrown) : this.#failed('snapshot', thrown)
    return {
      async get(key) {
        check()
        try {
          return await snapshot.get(key)
        } catch (thrown) {
          throw failed(thrown)
        }
      },
      async *scan(from, to, backward) {
        check()
        try {
          for await (const row of snapshot.scan(from, to, backward)) {
            check()
            yield row
          }
        } catch (thrown) {
          throw failed(thrown)
        }
      },
      close: async () => {
        try {
          await snapshot.close()
        } catch (thrown) {
          if (!this.#isClosed) throw failed(thrown)
        }
      },
    }
  }

  async diskBytes(from: Buffer, to: Buffer): Promise<number | null> {
    try {
      return (await this.#store.diskBytes?.(from, to)) ?? null
    } catch (thrown) {
      throw this.#failed('diskBytes', thrown)
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    try {
      await this.#store.close()
    } catch (thrown) {
      throw this.#failed('close', thrown)
    }
  }

  #check(): void {
    if (this.#isClosed) throw closedWhileRead()
  }

  #failed(method: string, thrown: unknown): StreamError {
    return new StreamError('PROCESSING', `supplier ${this.#name}: ${method}: ${messageOf(thrown)}`, {
      cause: thrown,
      where: { task: this.#task },
      hint: 'The error came from a byte store of yours. At the next start its state goes on from its checkpoint, or is restored from the changelog.',
    })
  }
}
