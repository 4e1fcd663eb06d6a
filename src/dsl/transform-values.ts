/** Tables whose rows a function makes that has stores, tables to read and a context. */

import type { Storage } from '../common/storage.ts'
import type { AnySerde } from '../serde/serde.ts'
import { callSite } from './call-site.ts'
import { requireSync } from './invalid.ts'
import { type SurroundingsArguments, surroundings } from './process.ts'
import type { UserFunction } from './stateless.ts'
import { requireSerde, type TableState } from './stream-state.ts'

export interface TransformValuesArguments extends SurroundingsArguments {
  readonly transform: unknown
  readonly serde: AnySerde | undefined
  readonly storage: Storage | undefined
}

/** The results are kept: to make one again would be another call, at another time and with other rows in its stores. */
export function transformValues(table: TableState, given: unknown, options: TransformValuesArguments): TableState {
  const site = callSite()
  const { graph, key } = table
  const name = graph.claimStore(given, `${graph.nameOf(table.node)}.transformValues`, site)
  const transform = requireSync(options.transform, '`transform`', name, site) as UserFunction
  const fix = `transformValues('${name}', { serde: json<R>(), transform })`
  const value = requireSerde(options.serde ?? { lostBy: name }, 'value', 'for its store', fix, name, site)
  const store = graph.storeSpec({ name, kind: 'key-value', key, value }, options.storage)
  const around = surroundings(table, options, name, site)
  const node = graph.add({ kind: 'table-transform-values', ...around, store, transform }, name, site)
  return { graph, node, key, value, stores: [store] }
}
