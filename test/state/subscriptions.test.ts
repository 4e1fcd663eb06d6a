import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { SubscriptionRow } from '../../src/common/subscription.ts'
import { textKey } from '../../src/serde/subscription.ts'
import { subscriptionRow } from '../../src/serde/subscription-row.ts'
import { OverlayKeyValueStore } from '../../src/state/key-value.ts'
import { MemoryByteStore } from '../../src/state/memory.ts'
import type { ByteStore, KeyValueStore } from '../../src/state/store.ts'
import { subscriptions } from '../../src/state/subscriptions.ts'
import { dump } from './codecs.ts'
import { commit } from './commit.ts'

const open = (bytes: ByteStore) =>
  new OverlayKeyValueStore<string, SubscriptionRow>({
    name: 's',
    key: textKey,
    value: subscriptionRow,
    bytes,
    cacheRows: 2,
  })

type Model = Map<string, Map<string, string>>

function listed(store: OverlayKeyValueStore<string, SubscriptionRow>, foreignKey: string): [string, string][] {
  const found: [string, string][] = []
  subscriptions(store).each(foreignKey, (key, hash) => found.push([key, hash]))
  return found
}

// Foreign keys that open as the others' rows do, and empty keys.
const foreignKeys = ['', 'a', '\x00\x00\x00\x01a', 'aa', '\x01a']
const keys = ['', 'a', 'aa', 'b', '\x00', 'ÿ']
const step = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constant('put'), fc.constantFrom(...foreignKeys), fc.constantFrom(...keys)) },
  { weight: 4, arbitrary: fc.tuple(fc.constant('remove'), fc.constantFrom(...foreignKeys), fc.constantFrom(...keys)) },
  { weight: 1, arbitrary: fc.constant(['commit', '', ''] as const) },
  { weight: 1, arbitrary: fc.constant(['discard', '', ''] as const) },
  { weight: 1, arbitrary: fc.constant(['restore', '', ''] as const) },
)

test('who refers to a key, in order of arrival, over commits, aborts and a restore from the changelog', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
      let bytes = new MemoryByteStore()
      let store = open(bytes)
      const changelog = []
      const model: Model = new Map(foreignKeys.map((key) => [key, new Map()]))
      let committed: Model = structuredClone(model)
      for (const [nth, [kind, foreignKey, key]] of steps.entries()) {
        if (kind === 'put') {
          subscriptions(store).put(foreignKey, { key, hash: `hash${nth}`, partition: nth }, nth)
          model.get(foreignKey)?.set(key, `hash${nth}`)
        } else if (kind === 'remove') {
          subscriptions(store).remove(foreignKey, key, nth)
          model.get(foreignKey)?.delete(key)
        } else if (kind === 'commit') {
          changelog.push(...(await commit(store, bytes)))
          committed = structuredClone(model)
        } else {
          for (const name of foreignKeys) model.set(name, new Map(committed.get(name)))
          if (kind === 'discard') store.discard()
          else {
            bytes = new MemoryByteStore()
            store = open(bytes)
            await bytes.write(changelog.map((row) => store.restore(row)))
          }
        }
        for (const name of foreignKeys) expect(listed(store, name)).toEqual([...(model.get(name) ?? [])])
      }
    }),
    { numRuns: 200 },
  )
})

test('a subscription costs two rows, and one in eight one more, however many there are', async () => {
  const bytes = new MemoryByteStore()
  const store = open(bytes)
  const put = (key: string, hash: string, at: number) => subscriptions(store).put('fk', { key, hash, partition: 0 }, at)
  for (let i = 0; i < 1000; i++) put(`k${i}`, 'hash', i)
  await commit(store, bytes)
  const costs: number[] = []
  for (let i = 0; i < 8; i++) {
    put(`new${i}`, 'hash', 1)
    costs.push((await commit(store, bytes)).length)
  }
  expect(costs).toEqual([2, 2, 2, 2, 2, 2, 2, 3])
  put('k500', 'other', 1)
  expect(await commit(store, bytes)).toHaveLength(1)
  subscriptions(store).remove('fk', 'k500', 1)
  expect(await commit(store, bytes)).toHaveLength(2)
})

test('those of many leave nothing behind when they go, in whatever order', async () => {
  const key = fc.nat(60)
  const change = fc.record({ key, goes: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { maxLength: 300, size: 'max' }),
      fc.infiniteStream(fc.nat()),
      async (changes, at) => {
        const bytes = new MemoryByteStore()
        const store = open(bytes)
        const ring = subscriptions(store)
        const model = new Set<string>()
        for (const { key, goes } of changes) {
          const name = `k${key}`
          if (goes) ring.remove('fk', name, 0)
          else ring.put('fk', { key: name, hash: 'hash', partition: 0 }, 0)
          if (goes) model.delete(name)
          else model.add(name)
          expect(listed(store, 'fk').map(([name]) => name)).toEqual([...model])
        }
        while (model.size > 0) {
          const name = [...model][at.next().value % model.size] as string
          ring.remove('fk', name, 0)
          model.delete(name)
          expect(listed(store, 'fk').map(([name]) => name)).toEqual([...model])
        }
        await commit(store, bytes)
        expect(await dump(bytes)).toEqual([])
      },
    ),
    { numRuns: 100 },
  )
})

test('rows that do not fit together are damage, and no subscription is made up or lost quietly', () => {
  const filled = () => {
    const store = open(new MemoryByteStore())
    const ring = subscriptions(store)
    for (let i = 0; i < 20; i++) ring.put('fk', { key: `k${i}`, hash: 'hash', partition: 0 }, i)
    return { store, ring }
  }
  const isDamage = (work: () => void, kinds: string) =>
    expect(work).toThrow(expect.objectContaining({ code: 'CORRUPT', message: expect.stringContaining(kinds) }))
  const openRow = '\x01fk'
  const fullRow = '\x02\x00\x00\x00\x01fk'
  const subscriberRow = '\x00\x00\x00\x02fkk9'
  const full = { kind: 'full', keys: ['k9'], previous: 0, next: 2 } as const
  const nothing = (): void => undefined

  const changed = (row: string, value: SubscriptionRow | null) => {
    const { store, ring } = filled()
    expect(store.get(row)).toBeDefined()
    store.put(row, value, 1)
    return ring
  }
  const put = { key: 'new', hash: 'hash', partition: 0 }
  isDamage(() => changed(openRow, full).put('fk', put, 1), 'kind full where one of kind open')
  isDamage(() => changed(openRow, full).each('fk', nothing), 'kind full where one of kind open')
  isDamage(() => changed(openRow, null).remove('fk', 'k9', 1), 'no row where one of kind open')
  isDamage(() => changed(fullRow, null).each('fk', nothing), 'no row where one of kind full')
  isDamage(() => changed(fullRow, null).remove('fk', 'k9', 1), 'no row where one of kind full')
  isDamage(() => changed(subscriberRow, null).each('fk', nothing), 'no row where one of kind subscriber')
  isDamage(() => changed(subscriberRow, full).remove('fk', 'k9', 1), 'kind full where one of kind subscriber')
})

test('a put looks up no row but those it changes', () => {
  const store = open(new MemoryByteStore())
  const looked: string[] = []
  const watched: KeyValueStore<string, SubscriptionRow> = {
    get: (key) => {
      looked.push(key)
      return store.get(key)
    },
    put: (...row) => store.put(...row),
    digest: (key) => store.digest(key),
  }
  const ring = subscriptions(watched)
  const put = (key: string) => {
    ring.put('fk', { key, hash: 'hash', partition: 0 }, 0)
    return looked.splice(0)
  }
  for (let i = 0; i < 20; i++) expect(put(`k${i}`)).toEqual([`\x00\x00\x00\x02fkk${i}`, '\x01fk'])
  expect(put('k3')).toEqual(['\x00\x00\x00\x02fkk3'])
})
