/**
 * From one assignment to the next: tasks that are gone are closed, new ones opened, and stores that stay here change hands without being closed, so that
 * a standby that becomes the task, or a task that becomes a standby, keeps all it has.
 */

import type { TopicPartition } from '../common/record.ts'
import { type Plan, tasksReading } from './plan.ts'
import type { Standby } from './standbys.ts'
import type { Task } from './task.ts'
import { type TaskId, taskName } from './task-id.ts'
import type { TaskStores } from './task-stores.ts'

/** What a worker has open, by task name. */
export interface OpenTasks {
  readonly tasks: ReadonlyMap<string, Task>
  readonly standbys: ReadonlyMap<string, Standby>
}

export interface ReassignParts {
  readonly plan: Plan
  readonly openStores: (id: TaskId) => Promise<TaskStores>
  readonly makeTask: (id: TaskId, stores: TaskStores) => Task
  /** Told before its stores are closed. */
  readonly closing: (gone: Standby) => void
}

/**
 * The tasks whose inputs are all in `partitions`, and the standbys with these names; tasks must be suspended and standbys paused. When it fails, all
 * that was open before is open still, or closed, and nothing else is.
 */
export async function reassign(
  parts: ReassignParts,
  partitions: readonly TopicPartition[],
  standbyNames: readonly string[],
  open: OpenTasks,
): Promise<OpenTasks> {
  const { plan } = parts
  const active = tasksReading(plan, partitions)
  const names = new Set(active.map(taskName))
  const copies = plan.tasks.filter((id) => standbyNames.includes(taskName(id)) && !names.has(taskName(id)))
  const wanted = new Set([...names, ...copies.map(taskName)])
  for (const gone of [...open.tasks.values(), ...open.standbys.values()]) {
    if (wanted.has(gone.name)) continue
    parts.closing(gone)
    await gone.stores.close()
  }
  for (const [name, task] of open.tasks) if (!names.has(name)) task.state = 'closed'

  const opened: TaskStores[] = []
  const storesOf = async (id: TaskId): Promise<TaskStores> => {
    const here = open.tasks.get(taskName(id)) ?? open.standbys.get(taskName(id))
    if (here !== undefined) return here.stores
    const stores = await parts.openStores(id)
    opened.push(stores)
    return stores
  }
  const tasks = new Map<string, Task>()
  const standbys = new Map<string, Standby>()
  try {
    for (const id of active) {
      const name = taskName(id)
      tasks.set(name, open.tasks.get(name) ?? parts.makeTask(id, await storesOf(id)))
    }
    for (const id of copies) {
      const name = taskName(id)
      const stores = await storesOf(id)
      // A standby looks nothing up.
      if (open.tasks.has(name)) stores.discard()
      standbys.set(name, open.standbys.get(name) ?? { id, name, stores })
    }
  } catch (error) {
    // Known to nobody else.
    for (const stores of opened) await stores.close()
    throw error
  }
  return { tasks, standbys }
}
