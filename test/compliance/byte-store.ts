/** What every byte store must do, as a suite over a factory: it runs on memory and on LevelDB alike. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ByteStore } from '../../src/state/store.ts'
import { byteStoreRules } from '../../src/testing/byte-store.ts'

export interface ByteStoreFactory {
  /** A new, empty store. */
  open(): Promise<ByteStore>
}

const b = (...bytes: number[]): Buffer => Buffer.from(bytes)

async function rows(store: ByteStore, from: Buffer, to: Buffer): Promise<string[]> {
  const found: string[] = []
  for await (const [key, value] of store.scan(from, to)) found.push(`${key.toString('hex')}=${value.toString('hex')}`)
  return found
}

const first = Buffer.alloc(0)
const last = Buffer.alloc(20, 0xff)

export function byteStoreSuite(name: string, factory: ByteStoreFactory): void {
  const check = (title: string, body: (store: ByteStore) => Promise<void>): void => {
    test(title, async () => {
      const store = await factory.open()
      try {
        await body(store)
      } finally {
        await store.close()
      }
    })
  }

  describe(`${name} as a byte store`, () => {
    for (const rule of byteStoreRules) check(rule.title, rule.check)

    test('a snapshot says so when its store is closed', async () => {
      const store = await factory.open()
      await store.write([{ key: b(1), value: b(1) }])
      const snapshot = store.snapshot()
      await store.close()
      const closed = expect.objectContaining({
        code: 'REBALANCE',
        hint: expect.stringContaining('ask again') as string,
      })
      await expect(snapshot.get(b(1))).rejects.toEqual(closed)
      await expect(snapshot.scan(first, last)[Symbol.asyncIterator]().next()).rejects.toEqual(closed)
      expect(() => store.snapshot()).toThrow(closed)
      await snapshot.close()
    })

    check('it behaves as a sorted map', async (store) => {
      const bytes = fc.uint8Array({ maxLength: 3 }).map((array) => Buffer.from([1, ...array.map((n) => n & 0x83)]))
      const step = fc.oneof(
        fc.record({
          do: fc.constant('write' as const),
          writes: fc.array(fc.record({ key: bytes, value: fc.option(bytes) }), { maxLength: 6 }),
        }),
        fc.record({ do: fc.constant('delete' as const), from: bytes, to: bytes }),
      )
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12, size: 'max' }), async (steps) => {
          await store.deleteRange(first, last)
          const model = new Map<string, string>()
          for (const action of steps) {
            if (action.do === 'write') {
              await store.write(action.writes)
              for (const { key, value } of action.writes) {
                if (value === null) model.delete(key.toString('hex'))
                else model.set(key.toString('hex'), value.toString('hex'))
              }
            } else {
              await store.deleteRange(action.from, action.to)
              for (const key of [...model.keys()]) {
                const bytesOf = Buffer.from(key, 'hex')
                if (bytesOf.compare(action.from) >= 0 && bytesOf.compare(action.to) < 0) model.delete(key)
              }
            }
          }
          const expected = [...model].sort(([a], [c]) => Buffer.from(a, 'hex').compare(Buffer.from(c, 'hex')))
          expect(await rows(store, first, last)).toEqual(expected.map(([key, value]) => `${key}=${value}`))
          for (const [key, value] of model)
            expect(store.get(Buffer.from(key, 'hex'))).toEqual(Buffer.from(value, 'hex'))
        }),
        { numRuns: 60 },
      )
    })
  })
}
