/**
 * What the topology of ../fixtures/everything.ts reads, from a seed, and how much of what is hard there is in it. Timestamps are unique: a task
 * takes the lowest of its inputs next, so with everything there before it starts, joins and traces have one right result.
 */

import { partitionOf } from '../../../src/common/partitioner.ts'

export interface Row {
  readonly topic: string
  readonly key: string
  readonly value: string | null
  /** ms */
  readonly timestamp: number
}

/** `taps` and `plans` are late again and again; of the others each topic is in the order of time. */
export const inputs = ['clicks', 'views', 'taps', 'plans', 'users', 'profiles', 'teams', 'prices']
export const partitions = 4
/** How long the versioned table knows what was valid, ms; as in the topology. */
const historyMs = 300
const start = 1_700_000_000_000

/** Of eight users each does something of every kind a few times a second, the others now and then. */
export function randomRows(random: () => number): readonly Row[] {
  const pick = (most: number): number => Math.floor(random() * most)
  const user = (): string => `u${pick(pick(2) === 0 ? 8 : 40)}`
  const rows: Row[] = []
  const taken = new Set<number>()
  let now = start + 1000
  for (let i = 0; i < 12_000; i++) {
    now += 1 + pick(4)
    const topic = inputs[[0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 3, 3, 4, 4, 5, 6][pick(16)] as number] as string
    const gone = pick(6) === 0
    const value = {
      clicks: () => `page${pick(12)}`,
      views: () => `page${pick(12)}`,
      taps: () => `page${pick(12)}`,
      plans: () => (gone ? null : `plan${i}`),
      users: () => (gone ? null : `t${pick(10)}`),
      profiles: () => (gone ? null : `name${i}`),
      teams: () => (gone ? null : `city${i}`),
    }[topic] as () => string | null
    // More often by a little than by much.
    const late = (topic === 'taps' || topic === 'plans') && pick(2) === 0 ? pick(pick(700)) : 0
    let timestamp = now - late
    while (taken.has(timestamp)) timestamp--
    taken.add(timestamp)
    rows.push({ topic, key: topic === 'teams' ? `t${pick(8)}` : user(), value: value(), timestamp })
  }
  // Closes every window, in every partition.
  now += 1_000_000
  for (const topic of ['clicks', 'views', 'taps'])
    for (const key of onePerPartition()) rows.push({ topic, key, value: 'end', timestamp: now++ })
  for (let page = 0; page < 9; page++)
    rows.push({ topic: 'prices', key: `page${page}`, value: `${page}.99`, timestamp: start })
  return rows
}

function onePerPartition(): readonly string[] {
  const found = new Map<number, string>()
  for (let i = 0; found.size < partitions; i++) {
    const key = `end${i}`
    const partition = partitionOfKey(Buffer.from(key))
    if (!found.has(partition)) found.set(partition, key)
  }
  return [...found.values()]
}

export function partitionOfKey(key: Buffer): number {
  return partitionOf(key, partitions, 0, key.length)
}

/** Late rows of `plans` that the versioned table still takes, and those that it refuses. */
export function latePlans(rows: readonly Row[]): { readonly taken: number; readonly refused: number } {
  const streamTimes = new Map<number, number>()
  let taken = 0
  let refused = 0
  for (const { topic, key, timestamp } of rows) {
    if (topic !== 'plans') continue
    const partition = partitionOfKey(Buffer.from(key))
    const streamTime = Math.max(timestamp, streamTimes.get(partition) ?? 0)
    streamTimes.set(partition, streamTime)
    if (timestamp < streamTime - historyMs) refused++
    else if (timestamp < streamTime) taken++
  }
  return { taken, refused }
}
