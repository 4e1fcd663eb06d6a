/** Topics and small helpers that the tests of the facade share. */

import { StreamError } from '../../src/common/errors.ts'
import { int64 } from '../../src/serde/int64.ts'
import { json } from '../../src/serde/json.ts'
import { string } from '../../src/serde/string.ts'
import { topic } from '../../src/serde/topic.ts'
import type { Topology, TopologyNode } from '../../src/topology/node.ts'

export interface Order {
  readonly id: string
  readonly customer: string
  readonly amount: number
  readonly currency: 'EUR' | 'USD'
}
export interface Customer {
  readonly name: string
}

export const lines = topic('lines', { key: string, value: string })
export const counts = topic('counts', { key: string, value: int64 })
export const orders = topic('orders', { key: string, value: json<Order>() })
export const refunds = topic('refunds', { key: string, value: json<Order>() })
export const customers = topic('customers', { key: string, value: json<Customer>() })

/** The topology error that the call throws. */
export function refusal(call: () => unknown): StreamError {
  try {
    call()
  } catch (thrown) {
    if (thrown instanceof StreamError) return thrown
    throw thrown
  }
  throw new Error('nothing was thrown')
}

/** Nodes as `name kind <- parents' names`, for reading a graph at a glance. */
export function outline(topology: Topology): readonly string[] {
  return topology.nodes.map(({ name, kind, parents }) => {
    const from = parents.map((parent) => topology.nodes[parent]?.name).join(' + ')
    return from === '' ? `${name} ${kind}` : `${name} ${kind} <- ${from}`
  })
}

/** The only node of a kind. */
export function nodeOf<K extends TopologyNode['kind']>(
  topology: Topology,
  kind: K,
): Extract<TopologyNode, { kind: K }> {
  const found = topology.nodes.filter((node) => node.kind === kind)
  if (found.length !== 1) throw new Error(`${found.length} nodes are ${kind}`)
  return found[0] as Extract<TopologyNode, { kind: K }>
}

/** The line of the caller, for comparing with a node's. */
export function lineHere(offset = 0): number {
  const frame = new Error().stack?.split('\n')[2] ?? ''
  return Number(/:(\d+):\d+\)?$/.exec(frame)?.[1]) + offset
}
