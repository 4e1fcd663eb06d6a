/**
 * Which member runs which tasks: balanced to within one task, and sticky to where a task's state already is. Pure, and
 * independent of the order members are listed in, so that any leader decides alike.
 */

export interface AssignorMember {
  readonly memberId: string
  /** Names of the tasks whose state the member holds. */
  readonly owned: readonly string[]
}

/**
 * Every task goes to exactly one member; loads differ by at most one. A task stays with a member that owns it as far as
 * balance allows; the rest go to the least loaded.
 * @param tasks task names, in the order in which they should be spread.
 */
export function assignTasks(
  members: readonly AssignorMember[],
  tasks: readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const sorted = [...members].sort((a, b) => (a.memberId < b.memberId ? -1 : 1))
  const assigned = new Map<string, string[]>(sorted.map((member) => [member.memberId, []]))
  if (sorted.length === 0) return assigned
  const floor = Math.floor(tasks.length / sorted.length)
  let above = tasks.length % sorted.length
  const free = new Set(tasks)
  const keep = (member: AssignorMember, room: number): number => {
    const mine = assigned.get(member.memberId) as string[]
    for (const task of member.owned) {
      if (room === 0) break
      if (!free.delete(task)) continue
      mine.push(task)
      room -= 1
    }
    return room
  }
  // Each keeps up to the floor first, so that nobody's surplus takes what another could have kept.
  for (const member of sorted) keep(member, floor)
  for (const member of sorted) if (above > 0 && keep(member, 1) === 0) above -= 1
  const lists = [...assigned.values()]
  for (const task of tasks) {
    if (!free.has(task)) continue
    lists.reduce((least, list) => (list.length < least.length ? list : least)).push(task)
  }
  return assigned
}
