/** All twins, as `family.method`: the one list beside that of java/Topologies.java. */

import { aggregates } from './topologies/aggregates.ts'
import { cogroup } from './topologies/cogroup.ts'
import { emitFinal } from './topologies/emit-final.ts'
import { foreignKeyJoins } from './topologies/foreign-key-joins.ts'
import { globalTables } from './topologies/global-tables.ts'
import { limits } from './topologies/limits.ts'
import { processors } from './topologies/processors.ts'
import { sessionAggregates } from './topologies/session-aggregates.ts'
import { slidingAggregates } from './topologies/sliding-aggregates.ts'
import { stateless } from './topologies/stateless.ts'
import { streamJoins } from './topologies/stream-joins.ts'
import { streamTableGrace } from './topologies/stream-table-grace.ts'
import { streamTableJoins } from './topologies/stream-table-joins.ts'
import { suppress } from './topologies/suppress.ts'
import { tableAggregates } from './topologies/table-aggregates.ts'
import { tableJoins } from './topologies/table-joins.ts'
import { tableTransforms } from './topologies/table-transforms.ts'
import { tables } from './topologies/tables.ts'
import { timestamps } from './topologies/timestamps.ts'
import { ttl } from './topologies/ttl.ts'
import { versionedTables } from './topologies/versioned-tables.ts'
import { windowedAggregates } from './topologies/windowed-aggregates.ts'
import type { Family, Twin } from './twin.ts'

export const families: Readonly<Record<string, Family>> = {
  stateless,
  processors,
  limits,
  ttl,
  aggregates,
  windowedAggregates,
  sessionAggregates,
  slidingAggregates,
  emitFinal,
  tables,
  suppress,
  tableJoins,
  tableAggregates,
  timestamps,
  tableTransforms,
  foreignKeyJoins,
  cogroup,
  streamTableJoins,
  streamJoins,
  versionedTables,
  globalTables,
  streamTableGrace,
}

export const twins: ReadonlyMap<string, Twin> = new Map(
  Object.entries(families).flatMap(([family, members]) =>
    Object.entries(members).map(([method, twin]) => [`${family}.${method}`, twin] as const),
  ),
)
