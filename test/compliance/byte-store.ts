/** What every byte store must do, as a suite over a factory: it runs on memory and on LevelDB alike. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ByteStore } from '../../src/state/store.ts'

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
    check('an absent key is undefined, an empty value is not', async (store) => {
      await store.write([{ key: b(1), value: b() }])
      expect(store.get(b(1))).toEqual(b())
      expect(store.get(b(2))).toBeUndefined()
    })

    check('the last write of a key in a batch counts, deletes included', async (store) => {
      await store.write([
        { key: b(1), value: b(1) },
        { key: b(1), value: b(2) },
        { key: b(2), value: b(1) },
        { key: b(2), value: null },
        { key: b(3), value: null },
        { key: b(3), value: b(9) },
      ])
      expect(await rows(store, first, last)).toEqual(['01=02', '03=09'])
    })

    check('an empty batch is fine, and so is deleting what is not there', async (store) => {
      await store.write([])
      await store.write([{ key: b(7), value: null }])
      await store.deleteRange(b(1), b(2))
      expect(await rows(store, first, last)).toEqual([])
    })

    check('keys are in memcmp order, whatever their bytes', async (store) => {
      await store.write(
        [b(0xff), b(0), b(0, 0), b(0x7f), b(0x80), b(1, 0xff), b(1)].map((key) => ({ key, value: b(1) })),
      )
      expect((await rows(store, first, last)).map((row) => row.split('=')[0])).toEqual([
        '00',
        '0000',
        '01',
        '01ff',
        '7f',
        '80',
        'ff',
      ])
    })

    check('ranges hold their start and not their end', async (store) => {
      await store.write([1, 2, 3, 4].map((n) => ({ key: b(n), value: b(n) })))
      expect(await rows(store, b(2), b(4))).toEqual(['02=02', '03=03'])
      expect(await rows(store, b(4), b(2))).toEqual([])
      await store.deleteRange(b(2), b(4))
      expect(await rows(store, first, last)).toEqual(['01=01', '04=04'])
      await store.deleteRange(b(4), b(1))
      expect(await rows(store, first, last)).toEqual(['01=01', '04=04'])
    })

    check('a scan sees the rows of its beginning', async (store) => {
      await store.write([1, 3].map((n) => ({ key: b(n), value: b(n) })))
      const seen: string[] = []
      for await (const [key, value] of store.scan(first, last)) {
        if (seen.length === 0) {
          await store.write([
            { key: b(2), value: b(2) },
            { key: b(3), value: null },
          ])
        }
        seen.push(`${key.toString('hex')}=${value.toString('hex')}`)
      }
      expect(seen).toEqual(['01=01', '03=03'])
      expect(await rows(store, first, last)).toEqual(['01=01', '02=02'])
    })

    check('a snapshot has the rows of its moment, forward and backward, until it is closed', async (store) => {
      await store.write([1, 3, 5].map((n) => ({ key: b(n), value: b(n) })))
      const snapshot = store.snapshot()
      await store.write([
        { key: b(2), value: b(2) },
        { key: b(3), value: null },
        { key: b(5), value: b(6) },
      ])
      await store.write([{ key: b(3), value: b(7) }])
      await store.deleteRange(b(1), b(2))
      const seen = async (from: Buffer, to: Buffer, backward?: boolean): Promise<string[]> => {
        const found: string[] = []
        for await (const [key, value] of snapshot.scan(from, to, backward)) {
          found.push(`${key.toString('hex')}=${value.toString('hex')}`)
        }
        return found
      }
      expect(await seen(first, last)).toEqual(['01=01', '03=03', '05=05'])
      expect(await seen(first, last, true)).toEqual(['05=05', '03=03', '01=01'])
      expect(await seen(b(1), b(5), true)).toEqual(['03=03', '01=01'])
      expect([await snapshot.get(b(1)), await snapshot.get(b(2)), await snapshot.get(b(3))]).toEqual([
        b(1),
        undefined,
        b(3),
      ])
      await snapshot.close()
      expect(await rows(store, first, last)).toEqual(['02=02', '03=07', '05=06'])
    })

    check('what changes while a snapshot looks for its rows does not show in it', async (store) => {
      const key = (n: number): Buffer => b(n >> 8, n & 255)
      const count = 10_000
      await store.write(Array.from({ length: count }, (_, n) => ({ key: key(2 * n), value: b(1) })))
      const snapshot = store.snapshot()
      const scan = snapshot.scan(first, last)[Symbol.asyncIterator]()
      const begun = scan.next()
      await store.write([
        ...Array.from({ length: count }, (_, n) => ({ key: key(2 * n + 1), value: b(2) })),
        ...Array.from({ length: count / 2 }, (_, n) => ({ key: key(4 * n), value: n % 2 === 0 ? null : b(3) })),
      ])
      let found = 0
      for (let next = await begun; next.done !== true; next = await scan.next()) {
        expect(next.value[0].equals(key(2 * found)) && next.value[1].equals(b(1))).toBe(true)
        found++
      }
      expect(found).toBe(count)
      await snapshot.close()
    })

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

    check('a scan may be left early, and goes over many rows', async (store) => {
      const many = Array.from({ length: 2500 }, (_, n) => ({ key: b(n >> 8, n & 255), value: b(n & 255) }))
      await store.write(many)
      for await (const [key] of store.scan(first, last)) {
        expect(key).toEqual(b(0, 0))
        break
      }
      expect(await rows(store, first, last)).toHaveLength(2500)
    })

    check('what it was given may be overwritten, what it gives may too', async (store) => {
      const key = b(1)
      const value = b(5)
      await store.write([{ key, value }])
      key[0] = 2
      value[0] = 6
      expect(store.get(b(1))).toEqual(b(5))
      store.get(b(1))?.fill(0)
      expect(store.get(b(1))).toEqual(b(5))
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
