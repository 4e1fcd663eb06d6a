/** Tables whose updates are held back. */

import type { Storage } from '../common/storage.ts'
import type { AnySerde } from '../serde/serde.ts'
import type { SourceLocation } from '../topology/node.ts'
import { isVersioned } from '../topology/versioned.ts'
import { windowClose } from '../topology/window-close.ts'
import { callSite } from './call-site.ts'
import { invalid } from './invalid.ts'
import { requireRows, requireSerde, type TableState } from './stream-state.ts'
import type { UntilTimeLimit, UntilWindowCloses } from './suppressed.ts'

export interface SuppressArguments {
  readonly serde?: AnySerde | undefined
  readonly storage?: Storage | undefined
}

export function suppress(
  table: TableState,
  given: unknown,
  suppressed: UntilWindowCloses | UntilTimeLimit,
  options: SuppressArguments | undefined,
): TableState {
  const site = callSite()
  const { graph, key } = table
  const name = graph.claimStore(given, `${graph.nameOf(table.node)}.suppress`, site)
  if (suppressed?.kind !== 'suppressed') {
    throw invalid(
      `${name}: suppress was not told until when`,
      "Write suppress('final', Suppressed.untilWindowCloses('unbounded')).",
      name,
      site,
    )
  }
  requireRows(table, name, site)
  if (isVersioned(graph.nodes, table.node)) {
    throw invalid(
      `${name}: suppress passes on the last update of a key alone, and of the versioned table ${graph.nameOf(table.node)} every version counts`,
      'Leave its history out, or suppress what an aggregate or a join of tables makes of it.',
      name,
      site,
    )
  }
  const fix = `suppress('${name}', ..., { serde: json<V>() })`
  const value = requireSerde(options?.serde ?? table.value, 'value', 'for its buffer', fix, name, site)
  const { until, maxRecords, maxBytes, whenFull } = suppressed
  const { limitMs, retentionMs } = timesOf(suppressed, table, name, site)
  const measured = maxBytes < Number.POSITIVE_INFINITY ? ({ measured: true } as const) : {}
  const store = graph.storeSpec({ name, kind: 'buffer', key, value, retentionMs, ...measured }, options?.storage)
  const body = {
    kind: 'suppress',
    parents: [table.node],
    store,
    until,
    limitMs,
    maxRecords,
    maxBytes,
    whenFull,
  } as const
  return { ...table, node: graph.add(body, name, site), value }
}

function timesOf(
  suppressed: UntilWindowCloses | UntilTimeLimit,
  { graph, node }: TableState,
  name: string,
  site: SourceLocation | undefined,
): { readonly limitMs: number; readonly retentionMs: number } {
  // What came in at a stream time is gone when it is past the limit.
  if (suppressed.until === 'time-limit') return { limitMs: suppressed.limitMs, retentionMs: suppressed.limitMs }
  const close = windowClose(graph.nodes, node)
  if (close !== undefined) return { limitMs: close.afterEndMs, retentionMs: close.retentionMs }
  throw invalid(
    `${name}: untilWindowCloses waits for windows to close, and ${graph.nameOf(node)} is made of none`,
    "Put windowedBy(...) and an aggregate before it, or use Suppressed.untilTimeLimit('5s', ...).",
    name,
    site,
  )
}
