/** Which process has which partition of a store, as the group says: every member tells where it answers when it joins. */

import type { DescribedMember, GroupDescription } from '../../broker/port.ts'
import { readMember } from '../../runtime/member-data.ts'
import { inputsOf, type Plan } from '../../runtime/plan.ts'
import { subTopologyOf } from '../../runtime/queries.ts'

/** By partition, the address of its process; null where that one answers no queries. What nobody has now is not in it. */
export type Owners = ReadonlyMap<number, string | null>

export function ownersOf(plan: Plan, store: string, { members }: GroupDescription): Owners {
  const sub = subTopologyOf(plan, store)
  const tasks = plan.tasks.filter(({ subTopology }) => subTopology === sub)
  const owners = new Map<number, string | null>()
  for (const member of members) {
    const { applicationServer } = readMember(member.userData)
    const reads = readBy(member)
    for (const id of tasks) if (inputsOf(plan, id).every(reads)) owners.set(id.partition, applicationServer)
  }
  return owners
}

function readBy({ partitions }: DescribedMember): (input: { topic: string; partition: number }) => boolean {
  const names = new Set(partitions.map(({ topic, partition }) => `${partition} ${topic}`))
  return ({ topic, partition }) => names.has(`${partition} ${topic}`)
}
