/** The disk refuses the state batch of a commit that the broker has already acknowledged. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type EmbeddedBroker, openEmbedded } from '../../src/broker/embedded/broker.ts'
import { StreamError } from '../../src/common/errors.ts'
import type { ByteWrite } from '../../src/state/store.ts'
import { consumed, type Event, feed, model, partitions, read, topics } from './ledger.ts'
import { type LedgerProcess, startLedger } from './process.ts'

const disk = vi.hoisted(() => ({
  writes: 0,
  refuse: (_write: number): 'before' | 'after' | undefined => undefined,
  refuseOpening: (_directory: string): boolean => false,
}))

vi.mock('../../src/state/level.ts', async (original) => {
  const real = await original<typeof import('../../src/state/level.ts')>()
  return {
    openLevel: async (...args: Parameters<typeof real.openLevel>) => {
      if (disk.refuseOpening(args[0])) throw new StreamError('INVALID_ARGUMENT', 'too many open files')
      const level = await real.openLevel(...args)
      return {
        get: (key: Buffer) => level.get(key),
        write: async (writes: readonly ByteWrite[]) => {
          const refused = disk.refuse(disk.writes++)
          if (refused === 'before') throw new StreamError('CORRUPT', 'no space left')
          await level.write(writes)
          if (refused === 'after') throw new StreamError('CORRUPT', 'no space left')
        },
        deleteRange: (from: Buffer, to: Buffer) => level.deleteRange(from, to),
        scan: (from: Buffer, to: Buffer) => level.scan(from, to),
        close: () => level.close(),
      }
    },
  }
})

let cluster: EmbeddedBroker
let dir: string
let running: LedgerProcess[]
const fed: Event[] = []

beforeEach(async () => {
  cluster = await openEmbedded()
  await cluster.createTopics(topics.map((name) => ({ name, partitions, configs: {} })))
  dir = await mkdtemp(join(tmpdir(), 'streamctl-disk-'))
  running = []
  fed.length = 0
  disk.writes = 0
  disk.refuse = () => undefined
  disk.refuseOpening = () => false
})

afterEach(async () => {
  for (const { app } of running) await app.stop().catch(() => undefined)
  await cluster.close()
  await rm(dir, { recursive: true, force: true })
})

async function start(): Promise<LedgerProcess> {
  const process = await startLedger(cluster, dir)
  running.push(process)
  return process
}

async function feedMore(): Promise<void> {
  const input = Array.from({ length: 20 }, (_, i): Event => {
    const n = fed.length + i
    return { partition: n % partitions, key: 'xyz'[n % 3] as string, value: 'ab'[n % 2] as string, timestamp: n }
  })
  fed.push(...input)
  await feed(cluster, input)
}

test.each(['before', 'after'] as const)(
  'it ends the app, and the next start catches up from the changelog (refused %s the write)',
  async (when) => {
    await feedMore()
    await start()
    await consumed(cluster)
    for (const { app } of running) await app.stop()
    const process = await start()
    await expect.poll(() => process.app.snapshot().state).toBe('running')
    const from = disk.writes
    disk.refuse = (write) => (write >= from ? when : undefined)
    await feedMore()
    await expect(process.app.ended).rejects.toMatchObject({ code: 'CORRUPT' })
    disk.refuse = () => undefined

    const next = await start()
    await feedMore()
    await consumed(cluster)
    await next.app.stop()
    expect(await read(cluster)).toEqual(model(fed))
    // The rows of the commit that never reached the disk came from the changelog.
    expect(
      next.log.some((line) => /chain of task 0_\d: restoring \d+ changelog offsets from checkpoint \d+/.test(line)),
    ).toBe(true)
  },
)

test('a task that does not open ends the app, and leaves no other one open behind it', async () => {
  await feedMore()
  disk.refuseOpening = (directory) => directory.includes('1_1')
  const process = await start()
  await expect(process.app.ended).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  disk.refuseOpening = () => false
  // Whatever had been opened would now be locked.
  const next = await start()
  await consumed(cluster)
  await next.app.stop()
  expect(await read(cluster)).toEqual(model(fed))
})
