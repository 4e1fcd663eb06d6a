/**
 * When a side has done all of its input, judged from outside and for all sides alike: its group has committed to the end,
 * and where a topic lies between, its output has stood still for a while.
 */

import { setTimeout } from 'node:timers/promises'
import type { Broker } from '../../src/broker/port.ts'
import { partitionsOf } from './topics.ts'

const lookMs = 100
const stillMs = 1_000
/** A side that commits nothing for so long hangs. */
const patienceMs = 60_000

export interface Awaited {
  readonly group: string
  readonly input: string
  readonly output: string
  readonly repartitions: boolean
}

/** @throws Error when nothing moves any more and the end is not reached. */
export async function caughtUp(broker: Broker, { group, input, output, repartitions }: Awaited): Promise<void> {
  const ends = await broker.offsets(partitionsOf(input), 'end')
  const wanted = ends.reduce((sum, { offset }) => sum + offset, 0)
  await until('committed nothing', async () => {
    const committed = await broker.committed(group, partitionsOf(input))
    const sum = committed.reduce((sum, { offset }) => sum + offset, 0)
    return { value: sum, done: (_still) => sum >= wanted }
  })
  if (!repartitions) return
  await until('never rested', async () => {
    const ends = await broker.offsets(partitionsOf(output), 'end')
    return { value: ends.reduce((sum, { offset }) => sum + offset, 0), done: (still) => still >= stillMs }
  })
}

async function until(
  complaint: string,
  look: () => Promise<{ value: number; done: (stillMs: number) => boolean }>,
): Promise<void> {
  let last: number | undefined
  let since = Date.now()
  for (;;) {
    const { value, done } = await look()
    if (value !== last) {
      last = value
      since = Date.now()
    }
    const still = Date.now() - since
    if (done(still)) return
    if (still > patienceMs) throw new Error(`a side ${complaint} for ${patienceMs / 1000} s; it stands at ${value}`)
    await setTimeout(lookMs)
  }
}
