/** Which process has which partition of a store, as the group says: every member tells where it answers when it joins. */

import type { GroupDescription } from '../../broker/port.ts'
import { readMember } from '../../runtime/member-data.ts'
import { type Plan, tasksReading } from '../../runtime/plan.ts'
import { subTopologyOf } from '../../runtime/queries.ts'

/** By partition, the address of its process; null where that one answers no queries. What nobody has now is not in it. */
export type Owners = ReadonlyMap<number, string | null>

export function ownersOf(plan: Plan, store: string, { members }: GroupDescription): Owners {
  const sub = subTopologyOf(plan, store)
  const owners = new Map<number, string | null>()
  for (const { userData, partitions } of members) {
    const { applicationServer } = readMember(userData)
    for (const { subTopology, partition } of tasksReading(plan, partitions)) {
      if (subTopology === sub) owners.set(partition, applicationServer)
    }
  }
  return owners
}
