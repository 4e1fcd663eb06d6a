/** What every byte store must do, as rules that throw at the first thing that is otherwise: for ours, and for those of users. */

import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { ByteRow, ByteSnapshot, ByteStore, ByteWrite } from '../common/byte-store.ts'
import { messageOf, StreamError } from '../common/errors.ts'
import type { StoreSupplier } from '../common/storage.ts'

export interface Rule<Subject> {
  readonly title: string
  /** Throws where it is broken. */
  readonly check: (subject: Subject) => Promise<void>
}

const b = (...bytes: number[]): Buffer => Buffer.from(bytes)
const first = Buffer.alloc(0)
const last = Buffer.alloc(300, 0xff)

function expectEqual(found: unknown, wanted: unknown): void {
  if (isDeepStrictEqual(found, wanted)) return
  throw new Error(`it gave ${shown(found)} where ${shown(wanted)} should be`)
}

function shown(value: unknown): string {
  if (Buffer.isBuffer(value)) return `the bytes <${value.toString('hex')}>`
  if (value instanceof Promise) return 'a promise'
  return value === undefined ? 'undefined' : Array.isArray(value) ? `[${value.map(shown).join(', ')}]` : String(value)
}

async function listed(rows: AsyncIterable<ByteRow>): Promise<string[]> {
  const found: string[] = []
  for await (const [key, value] of rows) found.push(`${key.toString('hex')}=${value.toString('hex')}`)
  return found
}

const all = (store: Pick<ByteStore, 'scan'> | ByteSnapshot): Promise<string[]> => listed(store.scan(first, last))
const puts = (...ns: number[]): ByteWrite[] => ns.map((n) => ({ key: b(n), value: b(n) }))
const wide = (n: number): Buffer => b(n >> 8, n & 255)

/** Of an empty store. */
export const byteStoreRules: readonly Rule<ByteStore>[] = [
  {
    title: 'an absent key is undefined, an empty value is not',
    check: async (store) => {
      await store.write([{ key: b(1), value: b() }])
      expectEqual(store.get(b(1)), b())
      expectEqual(store.get(b(2)), undefined)
    },
  },
  {
    title: 'the last write of a key in a batch counts, deletes included',
    check: async (store) => {
      await store.write([
        { key: b(1), value: b(1) },
        { key: b(1), value: b(2) },
        { key: b(2), value: b(1) },
        { key: b(2), value: null },
        { key: b(3), value: null },
        { key: b(3), value: b(9) },
      ])
      expectEqual(await all(store), ['01=02', '03=09'])
    },
  },
  {
    title: 'an empty batch is fine, and so is deleting what is not there',
    check: async (store) => {
      await store.write([])
      await store.write([{ key: b(7), value: null }])
      await store.deleteRange(b(1), b(2))
      expectEqual(await all(store), [])
    },
  },
  {
    title: 'keys are in the order of their bytes, whatever these are',
    check: async (store) => {
      const keys = [b(0xff), b(0), b(0, 0), b(0x7f), b(0x80), b(1, 0xff), b(1), b(0xc3, 0x28)]
      await store.write(keys.map((key) => ({ key, value: b(1) })))
      const sorted = [...keys].sort(Buffer.compare).map((key) => `${key.toString('hex')}=01`)
      expectEqual(await all(store), sorted)
    },
  },
  {
    title: 'ranges hold their start and not their end',
    check: async (store) => {
      await store.write(puts(1, 2, 3, 4))
      expectEqual(await listed(store.scan(b(2), b(4))), ['02=02', '03=03'])
      expectEqual(await listed(store.scan(b(4), b(2))), [])
      await store.deleteRange(b(2), b(4))
      expectEqual(await all(store), ['01=01', '04=04'])
      await store.deleteRange(b(4), b(1))
      expectEqual(await all(store), ['01=01', '04=04'])
    },
  },
  {
    title: 'a scan sees the rows of its beginning',
    check: async (store) => {
      await store.write(puts(1, 3))
      const seen: string[] = []
      for await (const [key, value] of store.scan(first, last)) {
        if (seen.length === 0) await store.write([...puts(2), { key: b(3), value: null }])
        seen.push(`${key.toString('hex')}=${value.toString('hex')}`)
      }
      expectEqual(seen, ['01=01', '03=03'])
      expectEqual(await all(store), ['01=01', '02=02'])
    },
  },
  {
    title: 'a snapshot has the rows of its moment, forward and backward, until it is closed',
    check: async (store) => {
      await store.write(puts(1, 3, 5))
      const snapshot = store.snapshot()
      await store.write([...puts(2), { key: b(3), value: null }, { key: b(5), value: b(6) }])
      await store.write([{ key: b(3), value: b(7) }])
      await store.deleteRange(b(1), b(2))
      expectEqual(await all(snapshot), ['01=01', '03=03', '05=05'])
      expectEqual(await listed(snapshot.scan(first, last, true)), ['05=05', '03=03', '01=01'])
      expectEqual(await listed(snapshot.scan(b(1), b(5), true)), ['03=03', '01=01'])
      const found = [await snapshot.get(b(1)), await snapshot.get(b(2)), await snapshot.get(b(3))]
      expectEqual(found, [b(1), undefined, b(3)])
      await snapshot.close()
      expectEqual(await all(store), ['02=02', '03=07', '05=06'])
    },
  },
  {
    title: 'what changes while a snapshot looks for its rows does not show in it',
    check: async (store) => {
      const count = 10_000
      await store.write(Array.from({ length: count }, (_, n) => ({ key: wide(2 * n), value: b(1) })))
      const snapshot = store.snapshot()
      const scan = snapshot.scan(first, last)[Symbol.asyncIterator]()
      const begun = scan.next()
      await store.write([
        ...Array.from({ length: count }, (_, n) => ({ key: wide(2 * n + 1), value: b(2) })),
        ...Array.from({ length: count / 2 }, (_, n) => ({ key: wide(4 * n), value: n % 2 === 0 ? null : b(3) })),
      ])
      let found = 0
      for (let next = await begun; next.done !== true; next = await scan.next()) {
        expectEqual([next.value[0], next.value[1]], [wide(2 * found), b(1)])
        found++
      }
      expectEqual(found, count)
      await snapshot.close()
    },
  },
  {
    title: 'a scan may be left early, and goes over many rows',
    check: async (store) => {
      await store.write(Array.from({ length: 2500 }, (_, n) => ({ key: wide(n), value: b(n & 255) })))
      for await (const [key] of store.scan(first, last)) {
        expectEqual(key, wide(0))
        break
      }
      expectEqual((await all(store)).length, 2500)
    },
  },
  {
    title: 'what it was given may be overwritten, what it gives may too',
    check: async (store) => {
      const key = b(1)
      const value = b(5)
      await store.write([{ key, value }])
      key[0] = 2
      value[0] = 6
      expectEqual(store.get(b(1)), b(5))
      store.get(b(1))?.fill(0)
      for await (const row of store.scan(first, last)) for (const bytes of row) bytes.fill(0)
      expectEqual([store.get(b(1)), await all(store)], [b(5), ['01=05']])
    },
  },
]

type Open = (task: string) => Promise<ByteStore>

const reopening: readonly Rule<Open>[] = [
  {
    title: 'what is there after closing and opening again is what the first changes made, each whole, or nothing',
    check: async (open) => {
      const store = await open('0_0')
      const states: string[][] = [[]]
      await store.write(puts(1, 2, 3))
      states.push(await all(store))
      await store.write([...puts(4), { key: b(1), value: b(9) }, { key: b(2), value: null }])
      states.push(await all(store))
      await store.deleteRange(b(3), b(4))
      states.push(await all(store))
      await store.close()
      const again = await open('0_0')
      try {
        const found = await all(again)
        if (!states.some((state) => isDeepStrictEqual(state, found))) expectEqual(found, states.at(-1))
        for (const row of found) {
          const [key = '', value = ''] = row.split('=')
          expectEqual(again.get(Buffer.from(key, 'hex')), Buffer.from(value, 'hex'))
        }
        await again.deleteRange(first, last)
      } finally {
        await again.close()
      }
    },
  },
  {
    title: 'each task has rows of its own',
    check: async (open) => {
      const store = await open('0_0')
      const other = await open('0_1')
      try {
        await store.write(puts(1, 2))
        expectEqual([await all(other), other.get(b(1))], [[], undefined])
        await other.write([{ key: b(1), value: b(8) }])
        await other.deleteRange(b(2), b(3))
        expectEqual(await all(store), ['01=01', '02=02'])
      } finally {
        for (const opened of [store, other]) {
          await opened.deleteRange(first, last)
          await opened.close()
        }
      }
    },
  },
]

/**
 * Tries a supplier of byte stores, for a test: opens it for tasks of an application that there is not, in a temporary directory, and goes through
 * what `ByteStore` says. What it cannot see is a crash in the middle of a write.
 * @throws StreamError INVALID_ARGUMENT at the first rule that is broken, with the rule in its message.
 * @example test('our store', () => checkStoreSupplier(ours))
 */
export async function checkStoreSupplier(supplier: StoreSupplier): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'streamctl-supplier-'))
  const appId = root.slice(root.lastIndexOf('streamctl-supplier-'))
  let apps = 0
  const opener = (): Open => {
    const of = `${appId}-${apps++}`
    return async (task) => {
      const dir = join(root, of, task)
      await mkdir(dir, { recursive: true, mode: 0o700 })
      return supplier.open({ appId: of, task, dir })
    }
  }
  const told = async (title: string, check: () => Promise<void>): Promise<void> => {
    try {
      await check()
    } catch (thrown) {
      throw new StreamError('INVALID_ARGUMENT', `supplier ${supplier.name}: ${title}: ${messageOf(thrown)}`, {
        cause: thrown,
        hint: 'The rules are those of ByteStore and StoreSupplier.',
      })
    }
  }
  try {
    for (const { title, check } of byteStoreRules) {
      await told(title, async () => {
        const store = await opener()('0_0')
        try {
          await check(store)
          await store.deleteRange(first, last)
        } finally {
          await store.close()
        }
      })
    }
    for (const { title, check } of reopening) await told(title, async () => check(opener()))
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}
