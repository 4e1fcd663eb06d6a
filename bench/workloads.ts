/** Every workload, by name. */

import type { WorkloadKind } from './workload.ts'
import { foreignKey } from './workloads/foreign-key.ts'
import { rekey } from './workloads/rekey.ts'
import { session } from './workloads/session.ts'
import { stateless } from './workloads/stateless.ts'
import { streamJoin } from './workloads/stream-join.ts'
import { tableJoin } from './workloads/table-join.ts'
import { windowed } from './workloads/windowed.ts'

export const workloads: ReadonlyMap<string, WorkloadKind> = new Map(
  [stateless, windowed, session, rekey, tableJoin, streamJoin, foreignKey].map((kind) => [kind.name, kind]),
)
