/** Stores of a task for a test: in a directory of their own, every settle written at once, and closed after it. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { int64, string, Windows } from 'streamctl'
import { afterEach, beforeEach } from 'vitest'
import { recordOutput } from '../../src/broker/output.ts'
import { stateBudget } from '../../src/runtime/state-budget.ts'
import { TaskStores, type TaskStoresOptions } from '../../src/runtime/task-stores.ts'
import type { KeyValueStore } from '../../src/state/store.ts'
import type { StoreSpec } from '../../src/topology/node.ts'

export const counts: StoreSpec = { name: 'counts', kind: 'key-value', key: string, value: int64, storage: 'disk' }
export const names: StoreSpec = { name: 'names', kind: 'key-value', key: string, value: string, storage: 'disk' }
export const sourced: StoreSpec = { ...names, sourceTopic: 'people' }
export const recent: StoreSpec = {
  name: 'recent',
  kind: 'window',
  key: string,
  value: int64,
  windows: Windows.tumbling(10, { grace: 0 }),
  retentionMs: 10,
  storage: 'disk',
}

/** Every settle is due. */
const atOnce = { bytes: 0, rows: 0, intervalMs: 0 }
export const budget = {
  ...stateBudget({ tasks: 1, storesPerTask: 1, totalBytes: 256 << 20, flushIntervalMs: 1000 }),
  flush: atOnce,
  cache: { cacheRows: 0 },
}

export interface TestStores {
  /** Of task 0_1. */
  readonly openStores: (specs: readonly StoreSpec[], more?: Partial<TaskStoresOptions>) => Promise<TaskStores>
  readonly reopen: (stores: TaskStores, specs: readonly StoreSpec[]) => Promise<TaskStores>
  readonly closeAll: () => Promise<void>
  /** Changelog rows as `topic-partition key=value`. */
  readonly rows: () => readonly string[]
}

/** For the tests of a file: a new directory before each. */
export function testStores(): TestStores {
  let dir: string
  let rows: string[]
  const open = new Set<TaskStores>()

  beforeEach(async () => {
    dir = join(await mkdtemp(join(tmpdir(), 'streamctl-stores-')), '0_1')
    rows = []
  })

  afterEach(async () => {
    await closeAll()
    await rm(join(dir, '..'), { recursive: true, force: true })
  })

  const output = (topic: string) =>
    recordOutput((partition, { key, value }) =>
      rows.push(`${topic}-${partition} ${key}=${value?.toString('hex') ?? 'deleted'}`),
    )

  async function openStores(specs: readonly StoreSpec[], more: Partial<TaskStoresOptions> = {}): Promise<TaskStores> {
    const stores = await TaskStores.open({
      appId: 'app',
      taskId: '0_1',
      partition: 1,
      dir,
      specs,
      changelogTopic: (store) => `app-${store}-changelog`,
      output,
      budget,
      warn: () => undefined,
      ...more,
    })
    open.add(stores)
    return stores
  }

  async function reopen(stores: TaskStores, specs: readonly StoreSpec[]): Promise<TaskStores> {
    open.delete(stores)
    await stores.close()
    return openStores(specs)
  }

  async function closeAll(): Promise<void> {
    for (const stores of open) await stores.close()
    open.clear()
  }

  return { openStores, reopen, closeAll, rows: () => rows }
}

export const table = (stores: TaskStores, name: string) => stores.get(name) as unknown as KeyValueStore<string, unknown>

/** Where a transaction ends in a store's own changelog. */
export const at = (name: string, offset: number) => [`app-${name}-changelog-1`, offset] as const

/** Positions of a task's inputs: `offset` in the topic that is a changelog. */
export const input = (offset: number) => [
  { topic: 'people', partition: 0, offset: 99 },
  { topic: 'others', partition: 1, offset: 98 },
  { topic: 'people', partition: 1, offset },
]
