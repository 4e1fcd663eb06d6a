/** A table as joins look at it: its store, or the store it is derived from. */

import { StreamError } from '../../common/errors.ts'
import type { Windowed } from '../../common/windows.ts'
import type { View } from '../../operators/processor.ts'
import { suppressedView } from '../../operators/suppress.ts'
import { filteredView } from '../../operators/table-filter.ts'
import { mappedView } from '../../operators/table-map-values.ts'
import { joinedView } from '../../operators/table-table-join.ts'
import { slidingStore } from '../../state/sliding.ts'
import type { BufferStore, KeyValueStore, Pane, SessionStore, VersionedStore, WindowStore } from '../../state/store.ts'
import type { NodeId, StoreSpec, TopologyNode } from '../../topology/node.ts'
import { type Scope, storeOf } from './scope.ts'

export function viewOf(node: TopologyNode, scope: Scope): View {
  const parent = () => scope.view(node.parents[0] as NodeId)
  switch (node.kind) {
    case 'table':
    case 'aggregate':
    case 'table-aggregate':
    case 'table-transform-values':
      return keyed(node.store, scope)
    case 'foreign-key-result':
      if (node.store === undefined) break
      return keyed(node.store, scope)
    case 'window-aggregate': {
      const store = storeOf<WindowStore<unknown, unknown>>(scope, node.store.name)
      return ({ key, start }: Windowed<unknown>) => store.get(key, start)
    }
    case 'sliding-aggregate': {
      const rows = storeOf<WindowStore<unknown, Pane<unknown>[]>>(scope, node.store.name)
      const store = slidingStore(rows, node.store.sliding)
      return ({ key, start }: Windowed<unknown>) => store.get(key, start)
    }
    case 'table-filter':
      return filteredView(node, scope.context(node), parent())
    case 'table-map-values':
      return mappedView(node, scope.context(node), parent())
    case 'suppress':
      return suppressedView(storeOf<BufferStore<unknown, unknown>>(scope, node.store.name), parent())
    case 'table-table-join': {
      const rightView = scope.view(node.parents[1] as NodeId)
      return joinedView({ ...node, leftView: parent(), rightView }, scope.context(node))
    }
    case 'session-aggregate': {
      const store = storeOf<SessionStore<unknown, unknown>>(scope, node.store.name)
      return ({ key, start, end }: Windowed<unknown>) => {
        const session = store.find(key, end, start).find((one) => one.start === start && one.end === end)
        return session === undefined ? undefined : { value: session.value, timestamp: end }
      }
    }
  }
  throw new StreamError('INTERNAL', `${node.kind} ${node.name} has no rows to look at`)
}

function keyed({ name, kind }: StoreSpec, scope: Scope): View {
  if (kind === 'versioned') {
    const store = storeOf<VersionedStore<unknown, unknown>>(scope, name)
    return (key, asOf) => store.get(key, asOf)
  }
  const store = storeOf<KeyValueStore<unknown, unknown>>(scope, name)
  return (key) => store.get(key)
}
