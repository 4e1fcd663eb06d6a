/** What the functions of a user's processor are given, from what its node names. */

import type { Surroundings } from '../../operators/processing-context.ts'
import type { View } from '../../operators/processor.ts'
import type { Schedule } from '../../operators/punctuation.ts'
import type { ExpiringStore, KeyValueStore } from '../../state/store.ts'
import type { ProcessNode, TableTransformValuesNode } from '../../topology/node.ts'
import { type Scope, storeOf } from './scope.ts'

export function surroundings(
  node: Pick<ProcessNode | TableTransformValuesNode, 'stores' | 'tables'>,
  scope: Scope,
): Surroundings & { readonly schedule: Schedule } {
  const { appId, task, current, schedule, streamTime, clock } = scope.wiring
  const stores = mapped(node.stores, ({ name }) => storeOf<KeyValueStore<unknown, unknown>>(scope, name))
  const tables = mapped(node.tables, (table): View => scope.view(table.node))
  return { stores, tables, current, streamTime, clock, app: appId, task, schedule }
}

/** Those of its own stores whose rows end by event time. */
export function expiringStores(
  { stores }: Pick<ProcessNode | TableTransformValuesNode, 'stores'>,
  scope: Scope,
): readonly ExpiringStore<unknown, unknown>[] {
  const expiring = Object.values(stores).filter(({ ttlMs }) => ttlMs !== undefined)
  return expiring.map(({ name }) => storeOf<ExpiringStore<unknown, unknown>>(scope, name))
}

function mapped<T, R>(given: Readonly<Record<string, T>>, map: (one: T) => R): Readonly<Record<string, R>> {
  return Object.fromEntries(Object.entries(given).map(([name, one]) => [name, map(one)]))
}
