/** Tables joined by a key that one has in its values (KIP-213). */

import type { Storage } from '../common/storage.ts'
import type { SubscriptionResponse } from '../common/subscription.ts'
import type { AnySerde } from '../serde/serde.ts'
import { responseOf, subscription, textKey } from '../serde/subscription.ts'
import { subscriptionRow } from '../serde/subscription-row.ts'
import type { NodeId, SourceLocation, TopologyNode } from '../topology/node.ts'
import { callSite } from './call-site.ts'
import type { Graph } from './graph.ts'
import { invalid, requireSync } from './invalid.ts'
import { repartition } from './repartition.ts'
import { requireSameGraph, type UserFunction } from './stateless.ts'
import { requireRows, requireSerde, type TableState } from './stream-state.ts'

export interface ForeignKeyJoinArguments {
  readonly name?: unknown
  readonly foreignKey?: UserFunction | undefined
  readonly joiner?: UserFunction | undefined
  readonly serde?: AnySerde | undefined
  readonly value?: AnySerde | undefined
  readonly otherValue?: AnySerde | undefined
  readonly storage?: Storage | undefined
}

/**
 * Left rows subscribe to the rows they refer to, through one topic; the other table's side answers, through another, back to where the
 * left row is, and there the result is made, and kept if it has a serde.
 */
export function joinByForeignKey(
  left: TableState,
  other: TableState,
  method: 'join' | 'leftJoin',
  options: ForeignKeyJoinArguments,
): TableState {
  const site = callSite()
  const { graph, key } = left
  const call = `${graph.nameOf(left.node)}.${method}`
  const name = graph.claimStore(options.name, call, site)
  requireSameGraph(left, other, name, site)
  requireRows(left, name, site)
  requireRows(other, name, site)
  requireLastingRows(left, name, site)
  const foreignKey = requireSync(options.foreignKey, 'foreignKey', name, site) as UserFunction
  const joiner = requireSync(options.joiner, 'joiner', name, site) as UserFunction
  const fix = (part: string): string => `${method}(table, { name: '${name}', foreignKey, joiner, ${part} })`
  const withSerde = fix('serde: json<R>()')
  const serde = options.serde && requireSerde(options.serde, 'value', 'for its store', withSerde, name, site)
  const value = requireSerde(
    options.value ?? left.value,
    'value',
    'to tell its versions apart',
    fix('value: json<V>()'),
    name,
    site,
  )
  const answered = requireSerde(
    options.otherValue ?? other.value,
    'value',
    'of the other table',
    fix('otherValue: json<V>()'),
    name,
    site,
  )
  const isLeft = method === 'leftJoin'

  const asking = graph.add(
    { kind: 'foreign-key-subscribe', parents: [left.node], foreignKey, left: isLeft, key, value, otherKey: other.key },
    `${name}-subscribe`,
    site,
  )
  const topicOf = (node: number, base: string, key: AnySerde, value: AnySerde, partitioner?: unknown): number =>
    repartition({ graph, node, key, value, rekeyed: true }, base, { partitioner }, name, '', site).node
  const asked = topicOf(asking, `${name}-subscription`, other.key, subscription)
  const subscriptions = graph.claimStore(`${name}-subscriptions`, call, site)
  const answering = graph.add(
    {
      kind: 'foreign-key-join',
      parents: [asked, other.node],
      store: graph.storeSpec(
        { name: subscriptions, kind: 'key-value', key: textKey, value: subscriptionRow },
        options.storage,
      ),
      stores: other.stores.map((store) => store.name),
      key: other.key,
    },
    `${name}-answer`,
    site,
  )
  // Written as the bytes that came with the subscription, read as the key that they are.
  const answerKey: AnySerde = Object.freeze({ ...key, serialize: textKey.serialize })
  const home = (_key: string, { partition }: SubscriptionResponse<unknown>): number => partition
  const answers = topicOf(answering, `${name}-response`, answerKey, responseOf(answered), home)
  const spec = serde && graph.storeSpec({ name, kind: 'key-value', key, value: serde }, options.storage)
  const stores = left.stores.map((store) => store.name)
  const node = graph.add(
    {
      kind: 'foreign-key-result',
      parents: [answers, left.node],
      ...(spec && { store: spec }),
      stores,
      left: isLeft,
      joiner,
      value,
    },
    name,
    site,
  )
  if (spec === undefined) {
    return { graph, node, key, value: { lostBy: name }, stores: [], unkept: { lostBy: name, fix: withSerde } }
  }
  return { graph, node, key, value: spec.value, stores: [spec] }
}

/** An answer is joined with the row that asked; that of a window which has closed is gone by then. */
function requireLastingRows({ graph, node }: TableState, call: string, site: SourceLocation | undefined): void {
  const final = finalResults(graph, node)
  if (final === undefined) return
  throw invalid(
    `${call} joins final results of windows: the rows of ${final} are gone when the other table answers`,
    "Keep them in a table of their own: .toStream().toTable('…') before the join.",
    call,
    site,
  )
}

/** The name of what gives rows out when their windows close, and of which a table is no more than a view. */
function finalResults(graph: Graph, id: NodeId): string | undefined {
  const node = graph.nodes[id] as TopologyNode
  switch (node.kind) {
    case 'window-aggregate':
    case 'sliding-aggregate':
    case 'session-aggregate':
      return node.store.closes ? node.name : undefined
    case 'suppress':
      return node.until === 'window-close' ? node.name : undefined
    case 'table-filter':
    case 'table-map-values':
      return finalResults(graph, node.parents[0] as NodeId)
    default:
      return undefined
  }
}
