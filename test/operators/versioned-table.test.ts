import { expect, test } from 'vitest'
import type { Update } from '../../src/operators/processor.ts'
import { versionedTable } from '../../src/operators/versioned-table.ts'
import type { Placement, Row, VersionedStore } from '../../src/state/store.ts'
import { context, headers } from './harness.ts'

/** Places by timestamp alone, refuses what is before 5, and shows the last put as the latest. */
function store(): VersionedStore<string, number> & { looked: number } {
  let latest: Row<number> | undefined
  return {
    streamTime: -1,
    looked: 0,
    get() {
      this.looked++
      return latest
    },
    put(_key, value, timestamp): Placement {
      if (timestamp < 5) return 'refused'
      if (timestamp < (latest?.timestamp ?? 0)) return 'older'
      latest = value === null ? undefined : { value, timestamp }
      return 'latest'
    },
  }
}

function run(sendsOld: boolean) {
  const ctx = context()
  const versions = store()
  const seen: unknown[] = []
  const into =
    (which: string): Update<string, number> =>
    (key, value, old, timestamp, given) => {
      expect(given).toBe(headers)
      seen.push([which, key, value, old, timestamp])
    }
  const process = versionedTable({ store: versions, sendsOld }, ctx, into('latest'), into('older'))
  process('a', 1, 10, headers)
  process('a', 2, 20, headers)
  process('a', 3, 15, headers)
  process('a', 4, 4, headers)
  process(null, 5, 30, headers)
  process('a', null, 40, headers)
  return { seen, drops: ctx.drops, forwarded: ctx.forwarded.count, looked: versions.looked }
}

test('updates of the latest version and of older ones go apart; what is refused and what has no key is dropped', () => {
  expect(run(true)).toEqual({
    seen: [
      ['latest', 'a', 1, null, 10],
      ['latest', 'a', 2, 1, 20],
      ['older', 'a', 3, 2, 15],
      ['latest', 'a', null, 2, 40],
    ],
    drops: ['late', 'null-key'],
    forwarded: 4,
    looked: 5,
  })
})

test('old values are looked up only where somebody asks', () => {
  expect(run(false).looked).toBe(0)
})
