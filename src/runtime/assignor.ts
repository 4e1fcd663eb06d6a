/**
 * Which member runs which tasks, and which keep copies of their state: balanced to within one task, and sticky to where a task's state already is. Pure,
 * and independent of the order members are listed in, so that any leader decides alike.
 */

export interface AssignorMember {
  readonly memberId: string
  /** Members of one process share its state directory, and go down with it. */
  readonly process: string
  /** Names of the tasks that the member runs. */
  readonly owned: readonly string[]
  /** Tasks whose state is within its reach, and how far that is: the sum of the changelog offsets it holds, 0 where that is not known. */
  readonly held: ReadonlyMap<string, number>
}

/** Tasks by member id. */
export type Assigned = ReadonlyMap<string, readonly string[]>

/** Changelog offsets that a copy may be behind what is given up for it (Kafka Streams: acceptable.recovery.lag). */
const acceptableLag = 10_000

/**
 * Every task goes to exactly one member; loads differ by at most one. A task stays with a member that owns it as far as
 * balance allows; one without goes to the member whose state of it is furthest, as far as balance allows that; the rest go to the least loaded.
 * @param tasks task names, in the order in which they should be spread.
 */
export function assignTasks(members: readonly AssignorMember[], tasks: readonly string[]): Assigned {
  const sorted = byId(members)
  const assigned = new Map<string, string[]>(sorted.map((member) => [member.memberId, []]))
  if (sorted.length === 0) return assigned
  const held = heldByProcess(sorted)
  const floor = Math.floor(tasks.length / sorted.length)
  let above = tasks.length % sorted.length
  const free = new Set(tasks)
  const listOf = (member: AssignorMember) => assigned.get(member.memberId) as string[]
  const keep = (member: AssignorMember, room: number): number => {
    for (const task of unheldElsewhereFirst(member, held)) {
      if (room === 0) break
      if (!free.delete(task)) continue
      listOf(member).push(task)
      room -= 1
    }
    return room
  }
  // Each keeps up to the floor first, so that nobody's surplus takes what another could have kept.
  for (const member of sorted) keep(member, floor)
  for (const member of sorted) if (above > 0 && keep(member, 1) === 0) above -= 1

  const hasRoom = (member: AssignorMember) => listOf(member).length < floor + (above > 0 ? 1 : 0)
  const far = (task: string, { process }: AssignorMember) => held.get(task)?.get(process) ?? -1
  /** Gives a task to a member with state of it; a full one makes room by a task that another has as good as it has. */
  const place = (task: string, least: number, tried: Set<AssignorMember>): boolean => {
    const holders = sorted
      .filter((member) => far(task, member) >= least && !tried.has(member))
      .sort((a, b) => far(task, b) - far(task, a) || listOf(a).length - listOf(b).length)
    const found = holders.find(hasRoom)
    if (found !== undefined) {
      if (listOf(found).length === floor) above -= 1
      listOf(found).push(task)
      return true
    }
    for (const holder of holders) {
      tried.add(holder)
      const list = listOf(holder)
      const other = list.find((one) => place(one, Math.max(0, far(one, holder) - acceptableLag), tried))
      if (other === undefined) continue
      list[list.indexOf(other)] = task
      return true
    }
    return false
  }
  for (const task of tasks) if (free.has(task) && held.has(task) && place(task, 0, new Set())) free.delete(task)

  const lists = [...assigned.values()]
  for (const task of tasks) {
    if (!free.has(task)) continue
    lists.reduce((least, list) => (list.length < least.length ? list : least)).push(task)
  }
  return assigned
}

/**
 * Puts copies of each task's state on other processes than its owner's, one on a process: as many as asked for, or as there are such processes. Copies
 * stay where they are, and go to where state is left over, unless a member has two more than another that could take one.
 * @param active who runs which tasks.
 * @param stateful the tasks that have state, in the order in which they should be spread.
 */
export function assignStandbys(
  members: readonly AssignorMember[],
  active: Assigned,
  stateful: readonly string[],
  copies: number,
): Assigned {
  const sorted = byId(members)
  const held = heldByProcess(sorted)
  const processOf = new Map(sorted.map(({ memberId, process }) => [memberId, process]))
  const ownerOf = new Map([...active].flatMap(([id, tasks]) => tasks.map((task) => [task, processOf.get(id)])))
  const standby = new Map<string, string[]>(sorted.map(({ memberId }) => [memberId, []]))
  const listOf = (member: AssignorMember) => standby.get(member.memberId) as string[]
  const runs = (member: AssignorMember) => active.get(member.memberId)?.length ?? 0
  /** Processes that have the task, its owner's included. */
  const takenBy = new Map(stateful.map((task) => [task, new Set([ownerOf.get(task)])]))
  const free = (task: string) => sorted.filter(({ process }) => takenBy.get(task)?.has(process) === false)
  const put = (task: string, member: AssignorMember): void => {
    listOf(member).push(task)
    takenBy.get(task)?.add(member.process)
  }
  const isWanted = (task: string) => (takenBy.get(task)?.size ?? 0) <= copies

  for (const task of stateful) {
    // The process that is furthest, and of its members the one that has it open.
    const far = ({ process }: AssignorMember) => held.get(task)?.get(process) ?? -1
    const own = (member: AssignorMember) => member.held.get(task) ?? -1
    const holders = sorted
      .filter((member) => far(member) >= 0)
      .sort((a, b) => far(b) - far(a) || own(b) - own(a) || listOf(a).length - listOf(b).length)
    for (const member of holders) {
      if (isWanted(task) && takenBy.get(task)?.has(member.process) === false) put(task, member)
    }
  }

  for (const task of stateful) {
    // Who runs less has room for the task when its owner goes; copies of one owner's tasks lie apart, for the same reason.
    const owner = ownerOf.get(task)
    const together = (member: AssignorMember) => listOf(member).filter((other) => ownerOf.get(other) === owner).length
    while (isWanted(task)) {
      const [least] = free(task).sort(
        (a, b) => listOf(a).length - listOf(b).length || runs(a) - runs(b) || together(a) - together(b),
      )
      if (least === undefined) break
      put(task, least)
    }
  }

  for (;;) {
    const move = levelling(sorted, listOf, takenBy, held)
    if (move === undefined) return standby
    const { task, from, to } = move
    listOf(from).splice(listOf(from).indexOf(task), 1)
    takenBy.get(task)?.delete(from.process)
    put(task, to)
  }
}

interface Move {
  readonly task: string
  readonly from: AssignorMember
  readonly to: AssignorMember
}

/** A copy that a member has too many of and another with at least two fewer can take, best one that has state of it. */
function levelling(
  members: readonly AssignorMember[],
  listOf: (member: AssignorMember) => readonly string[],
  takenBy: ReadonlyMap<string, ReadonlySet<string | undefined>>,
  held: Held,
): Move | undefined {
  const byLoad = [...members].sort((a, b) => listOf(b).length - listOf(a).length)
  for (const from of byLoad) {
    const lighter = byLoad.filter((to) => listOf(to).length + 2 <= listOf(from).length).reverse()
    let found: Move | undefined
    for (const to of lighter) {
      for (const task of listOf(from)) {
        if (to.process !== from.process && takenBy.get(task)?.has(to.process) === true) continue
        if (held.get(task)?.has(to.process) === true) return { task, from, to }
        found ??= { task, from, to }
      }
    }
    if (found !== undefined) return found
  }
  return undefined
}

/** How far each process has the state of each task. */
type Held = ReadonlyMap<string, ReadonlyMap<string, number>>

function heldByProcess(members: readonly AssignorMember[]): Held {
  const all = new Map<string, Map<string, number>>()
  for (const { process, held } of members) {
    for (const [task, far] of held) {
      const byProcess = all.get(task) ?? new Map<string, number>()
      byProcess.set(process, Math.max(far, byProcess.get(process) ?? 0))
      all.set(task, byProcess)
    }
  }
  return all
}

/** What a member has to give up had best be what others have state of. */
function unheldElsewhereFirst({ process, owned }: AssignorMember, held: Held): readonly string[] {
  const isElsewhere = (task: string) => [...(held.get(task)?.keys() ?? [])].some((other) => other !== process)
  const [alone, elsewhere] = [owned.filter((task) => !isElsewhere(task)), owned.filter(isElsewhere)]
  return [...alone, ...elsewhere]
}

function byId(members: readonly AssignorMember[]): readonly AssignorMember[] {
  return [...members].sort((a, b) => (a.memberId < b.memberId ? -1 : 1))
}
