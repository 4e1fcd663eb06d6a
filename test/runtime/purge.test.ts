import { expect, test } from 'vitest'
import type { Broker, PartitionOffset } from '../../src/broker/port.ts'
import { Purger } from '../../src/runtime/purge.ts'
import type { Task } from '../../src/runtime/task.ts'

function taskWith(committed: readonly (number | null)[], expired: readonly PartitionOffset[] = []): Task {
  const topics = ['app-x-repartition', 'orders']
  return {
    queues: committed.map((_, i) => ({ topic: topics[i], partition: 1, position: 99 })),
    committedPosition: (i: number) => committed[i],
    stores: { expiredChangelogs: () => expired },
  } as unknown as Task
}

function purgerWith(deleteRecords: Broker['deleteRecords']) {
  const warnings: string[] = []
  const broker = { deleteRecords } as unknown as Broker
  return { purger: new Purger(broker, ['app-x-repartition'], (_, message) => warnings.push(message)), warnings }
}

test("what is committed of repartition topics and expired of changelogs is deleted, and nothing of the user's", async () => {
  const deleted: (readonly PartitionOffset[])[] = []
  const { purger } = purgerWith(async (before) => void deleted.push(before))
  const expired = { topic: 'app-w-changelog', partition: 1, offset: 4 }
  purger.whenDue(0, [taskWith([7, 8], [expired])])
  await purger.finished()
  // Positions that are processed and not committed stay: they are read again after a failure.
  expect(deleted).toEqual([[{ topic: 'app-x-repartition', partition: 1, offset: 7 }, expired]])
})

test('nothing committed, nothing deleted', async () => {
  const deleted: unknown[] = []
  const { purger } = purgerWith(async (before) => void deleted.push(before))
  purger.whenDue(0, [taskWith([null]), taskWith([0])])
  await purger.finished()
  expect(deleted).toEqual([])
})

test('twice a minute, one round at a time; a failure is told and tried again', async () => {
  let calls = 0
  const held = Promise.withResolvers<void>()
  const { purger, warnings } = purgerWith(async () => {
    calls++
    if (calls === 1) await held.promise
    if (calls === 2) throw new Error('not allowed')
  })
  purger.whenDue(0, [taskWith([5])])
  purger.whenDue(30_000, [taskWith([5])])
  expect(calls).toBe(1)
  held.resolve()
  await purger.finished()
  purger.whenDue(29_999, [taskWith([5])])
  expect(calls).toBe(1)
  purger.whenDue(30_000, [taskWith([5])])
  await purger.finished()
  expect(warnings).toEqual(['internal topics were not purged: not allowed'])
  purger.whenDue(60_000, [taskWith([5])])
  expect(calls).toBe(3)
})
