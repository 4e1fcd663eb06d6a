import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hash64 } from '../../src/common/hash.ts'
import { OverlayExpiringStore } from '../../src/state/expiring.ts'
import { OverlayKeyValueStore } from '../../src/state/key-value.ts'
import { MemoryByteStore } from '../../src/state/memory.ts'
import type { ByteStore, ChangelogRow } from '../../src/state/store.ts'
import { json, text } from './codecs.ts'
import { flush, seal } from './commit.ts'

type Step = readonly [kind: string, key: string, value: number | null]

const keys = ['a', 'b', 'c']
const key = fc.constantFrom(...keys)
const value = fc.option(fc.nat(9), { freq: 4 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constant('put'), key, value) },
  { weight: 4, arbitrary: fc.tuple(fc.constant('put-written'), key, value) },
  { weight: 8, arbitrary: fc.tuple(fc.constantFrom('ask', 'get-and-ask'), key, fc.constant(null)) },
  {
    weight: 6,
    arbitrary: fc
      .constantFrom('seal', 'settle', 'flush', 'commit', 'commit', 'discard', 'restart')
      .map((kind) => [kind, '', null] as const),
  },
)

const open = (bytes: ByteStore, cacheRows: number, ttlMs: number | undefined) => {
  const options = { name: 's', key: text, value: json<number>(), bytes, cacheRows, empty: true }
  return ttlMs === undefined ? new OverlayKeyValueStore(options) : new OverlayExpiringStore({ ...options, ttlMs })
}

test.each([
  { cacheRows: 0, ttlMs: undefined },
  { cacheRows: 1, ttlMs: undefined },
  { cacheRows: 100, ttlMs: undefined },
  { cacheRows: 1, ttlMs: 1000 },
])('a digest is that of the bytes that the row has, wherever it is: %o', async ({ cacheRows, ttlMs }) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 120, size: 'max' }), async (steps) => {
      let bytes = new MemoryByteStore()
      let store = open(bytes, cacheRows, ttlMs)
      await store.load()
      const changelog: ChangelogRow[] = []
      let sealed: ChangelogRow[] | undefined
      let model = new Map<string, string>()
      let committed = model
      let atSeal = model
      for (const [nth, [kind, key, value]] of steps.entries()) {
        if (kind === 'put' || kind === 'put-written') {
          // Bytes that the serde would not write.
          const written = kind === 'put' ? undefined : Buffer.from(`x  ${value}`)
          store.put(key, value, nth, written && { bytes: written, valueStart: 1, valueEnd: written.length })
          model = new Map(model)
          if (value === null) model.delete(key)
          else model.set(key, kind === 'put' ? `${value}` : `  ${value}`)
        } else if (kind === 'ask' || kind === 'get-and-ask') {
          if (kind === 'get-and-ask') store.get(key)
          const row = model.get(key)
          expect(store.digest(key)).toBe(row === undefined ? null : hash64(Buffer.from(row)))
        }
        const isCommit = kind === 'commit'
        if ((kind === 'seal' || isCommit) && sealed === undefined) {
          sealed = seal(store)
          atSeal = model
        }
        if ((kind === 'settle' || isCommit) && sealed !== undefined) {
          store.settle()
          changelog.push(...sealed)
          committed = atSeal
          sealed = undefined
        }
        if ((kind === 'flush' || isCommit) && sealed === undefined) await flush(store, bytes)
        if (kind === 'discard' || kind === 'restart') {
          if (kind === 'discard') store.discard()
          // What was settled and not flushed is in the changelog only.
          bytes = new MemoryByteStore()
          store = open(bytes, cacheRows, ttlMs)
          await bytes.write(changelog.map((row) => store.restore(row)))
          await store.load()
          model = committed
          sealed = undefined
        }
      }
      for (const key of keys) {
        const row = model.get(key)
        expect(store.digest(key)).toBe(row === undefined ? null : hash64(Buffer.from(row)))
      }
    }),
    { numRuns: 300 },
  )
})
