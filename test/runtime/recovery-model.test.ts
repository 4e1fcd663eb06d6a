/**
 * Random schedules of faults, crashes, expired sessions, stops and starts over up to two processes of one group. Whatever
 * happens, a reader of committed records finds exactly what the model says, and so does a process that has only the changelogs.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openEmbedded } from '../../src/broker/embedded/broker.ts'
import type { ErrorCode } from '../../src/common/errors.ts'
import type { Fault, Step } from './faulty-broker.ts'
import { consumed, type Event, feed, model, partitions, read, topics } from './ledger.ts'
import { type LedgerProcess, startLedger } from './process.ts'

type Action =
  | { readonly kind: 'feed'; readonly events: readonly Event[] }
  | {
      readonly kind: 'fault'
      readonly at: number
      readonly step: Step
      readonly ahead: number
      readonly fault: Fault
      readonly events: readonly Event[]
    }
  | { readonly kind: 'start' | 'stop' | 'crash' | 'expire'; readonly at: number }
  | { readonly kind: 'wait'; readonly ms: number }

const at = fc.integer({ min: 0, max: 1 })
const event: fc.Arbitrary<Event> = fc.record({
  partition: fc.integer({ min: 0, max: partitions - 1 }),
  key: fc.constantFrom('x', 'y', 'z'),
  value: fc.constantFrom('a', 'b', 'c', 'd'),
  timestamp: fc.integer({ min: 0, max: 100 }),
})
const passing: readonly ErrorCode[] = ['FENCED', 'UNKNOWN_OUTCOME', 'REBALANCE', 'UNREACHABLE', 'TIMEOUT']
const fault = fc.record({
  kind: fc.constant('fault' as const),
  at,
  step: fc.oneof(
    { weight: 3, arbitrary: fc.constant<Step>('commit') },
    { weight: 2, arbitrary: fc.constantFrom<Step>('poll', 'committed', 'offsets', 'reset') },
  ),
  ahead: fc.integer({ min: 0, max: 2 }),
  events: fc.array(event, { minLength: 1, maxLength: 20 }),
  fault: fc.record({
    when: fc.constantFrom('before' as const, 'after' as const),
    code: fc.constantFrom(...passing),
    crash: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  }),
})
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('feed' as const),
      events: fc.array(event, { minLength: 1, maxLength: 30 }),
    }),
  },
  { weight: 4, arbitrary: fault },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('start', 'start', 'stop', 'crash', 'expire'), at }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 25 }) }) },
)

/** What happened over all schedules: without faults that struck, nothing would be shown. */
const struck = { faults: 0, commitFaults: 0, crashes: 0, expired: 0, aborted: 0 }

async function run(schedule: readonly Action[]): Promise<void> {
  const cluster = await openEmbedded()
  await cluster.createTopics(topics.map((name) => ({ name, partitions, configs: {} })))
  const dir = await mkdtemp(join(tmpdir(), 'streamctl-schedule-'))
  const processes: (LedgerProcess | undefined)[] = []
  const pending: { at: number; step: Step; ahead: number; fault: Fault }[] = []
  const fed: Event[] = []
  let armed = true
  let starts = schedule.length
  const decide = (process: number) => (step: Step) => {
    if (!armed) return undefined
    const found = pending.find((one) => one.at === process && one.step === step)
    if (found === undefined || found.ahead-- > 0) return undefined
    pending.splice(pending.indexOf(found), 1)
    struck.faults++
    if (step === 'commit') struck.commitFaults++
    return found.fault
  }
  const start = async (process: number) => {
    const old = processes[process]
    if (old !== undefined && !old.faulty.isDead()) return
    await old?.crash()
    // To disk with each commit, with some, or with none but the last: each has crashes of its own.
    const flushIntervalMs = [0, 15, 60_000][starts++ % 3] as number
    processes[process] = await startLedger(cluster, join(dir, String(process)), decide(process), {
      flushIntervalMs,
      standbys: 1,
    })
  }
  const end = async (process: number, how: 'stop' | 'crash') => {
    const old = processes[process]
    if (old === undefined) return
    if (how === 'crash') await old.crash()
    else await old.app.stop().catch(() => undefined)
    struck.crashes += how === 'crash' ? 1 : 0
    struck.aborted += old.app.snapshot().commits.aborted
    expect(old.faulty.violations).toEqual([])
    processes[process] = undefined
  }
  try {
    await start(0)
    for (const step of schedule) {
      if (step.kind === 'feed') {
        fed.push(...step.events)
        await feed(cluster, step.events)
      } else if (step.kind === 'fault') {
        // Armed while there is work to strike, and given the time to.
        const armedFault = { ...step }
        pending.push(armedFault)
        for (let i = 0; i < 8 && pending.includes(armedFault); i++) {
          fed.push(...step.events)
          await feed(cluster, step.events)
          await setTimeout(5)
        }
      } else if (step.kind === 'wait') await setTimeout(step.ms)
      else if (step.kind === 'start') await start(step.at)
      else if (step.kind === 'expire') {
        const member = (await cluster.describeGroup('ledger')).members[step.at]
        if (member !== undefined && cluster.expireMember('ledger', member.memberId)) struck.expired++
      } else await end(step.at, step.kind)
    }
    armed = false
    await start(0)
    await consumed(cluster)
    await end(0, 'stop')
    await end(1, 'stop')
    expect(await read(cluster)).toEqual(model(fed))

    // What the disks and the changelogs hold is the same state: each goes on as the model does.
    for (const name of ['0', 'fresh']) {
      const more: Event[] = ['x', 'y', 'z'].flatMap((key) =>
        [0, 1].map((partition) => ({ partition, key, value: 'e', timestamp: 60 })),
      )
      const next = await startLedger(cluster, join(dir, name))
      processes[0] = next
      fed.push(...more)
      await feed(cluster, more)
      await consumed(cluster)
      await end(0, 'stop')
      expect(await read(cluster)).toEqual(model(fed))
    }
  } finally {
    for (const process of processes) await process?.crash()
    await cluster.close()
    await rm(dir, { recursive: true, force: true })
  }
}

/** Raise it for a soak; each run is six schedules. */
const runs = Number(process.env.STREAMCTL_TEST_SCHEDULES ?? 6)

test('exactly once under random schedules of faults', { timeout: runs * 10_000 }, async () => {
  // Schedules mostly wait, so several run side by side.
  const schedules = fc.array(fc.array(action, { minLength: 8, maxLength: 24, size: 'max' }), {
    minLength: 6,
    maxLength: 6,
  })
  await fc.assert(
    fc.asyncProperty(schedules, async (all) => {
      const results = await Promise.allSettled(all.map(run))
      for (const result of results) if (result.status === 'rejected') throw result.reason
    }),
    { numRuns: runs, endOnFailure: true },
  )
  // A run without faults would show nothing. What a few schedules strike is chance; many must have struck everything.
  expect(struck.commitFaults).toBeGreaterThan(0)
  if (runs >= 36) for (const count of Object.values(struck)) expect(count).toBeGreaterThan(runs / 36)
})
