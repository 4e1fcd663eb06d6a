/** From the nodes that take the updates of a table to closures. */

import { StreamError } from '../../common/errors.ts'
import type { Update } from '../../operators/processor.ts'
import { suppress } from '../../operators/suppress.ts'
import { tableFilter } from '../../operators/table-filter.ts'
import { tableMapValues } from '../../operators/table-map-values.ts'
import { toStream } from '../../operators/to-stream.ts'
import type { BufferStore } from '../../state/store.ts'
import type { TopologyNode } from '../../topology/node.ts'
import { type Scope, storeOf } from './scope.ts'

export function buildUpdate(node: TopologyNode, scope: Scope): Update {
  const ctx = scope.context(node)
  switch (node.kind) {
    case 'table-filter':
      return tableFilter(node, ctx, scope.updates(node.id))
    case 'table-map-values':
      return tableMapValues({ ...node, sendsOld: scope.sendsOld(node.id) }, ctx, scope.updates(node.id))
    case 'suppress': {
      const buffer = storeOf<BufferStore<unknown, unknown>>(scope, node.store.name)
      return suppress({ ...node, buffer }, ctx, scope.updates(node.id))
    }
    case 'to-stream':
      return toStream(scope.next(node.id))
    default:
      throw new StreamError('INTERNAL', `${node.kind} ${node.name} takes no table`)
  }
}
