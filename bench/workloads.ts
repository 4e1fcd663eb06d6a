/** Every workload, by name. */

import type { Workload } from './workload.ts'
import { windowedWorkload } from './workloads/windowed.ts'

export const workloads: ReadonlyMap<string, Workload> = new Map(
  [windowedWorkload].map((workload) => [workload.name, workload]),
)
