/**
 * A number of one operator, in a process of its own, so that no other one's compiled code bears on it.
 * Usage: node bench/operators/child.ts time <name> <records>
 *        node <roomy> bench/operators/child.ts bytes <name> <records>
 */

import { spreadOf } from '../measure/statistics.ts'
import { bytes, nanoseconds, roundOf } from './measure.ts'

/** Code that is not optimized yet is slower and allocates more. */
const unmeasuredRounds = 2
const timedRounds = 5

const [what, name = '', records = ''] = process.argv.slice(2)
const round = roundOf(name, Number(records))
for (let i = 0; i < unmeasuredRounds; i++) await nanoseconds(round)
process.stdout.write(`${what === 'bytes' ? await uncollected() : await middle()}\n`)

/** Of as many records as fit into the young generation. */
async function uncollected(): Promise<number> {
  for (let count = round.records; count >= 1; count >>= 1) {
    const found = await bytes(roundOf(name, count))
    if (found !== undefined) return found
  }
  throw new Error(`${name}: a record alone makes a garbage collection`)
}

/** Not the least: the clock of a thread moves in steps, which a short round feels both ways. */
async function middle(): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < timedRounds; i++) times.push(await nanoseconds(round))
  return spreadOf(times).median
}
