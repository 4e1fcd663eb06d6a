/** Opens what writes: a serde may have to register its schema before it can. What only reads asks as records come. */

import type { AnySerde } from '../serde/serde.ts'
import type { Topology } from '../topology/node.ts'
import { ownStores } from '../topology/upstream.ts'

/**
 * Serdes of the user's topics first, under those topics; then those of stores and repartition topics, which are nobody
 * else's business and name no subject.
 * @param named false opens everything without a topic.
 * @throws StreamError UNREACHABLE, INVALID_ARGUMENT as the serdes' `open`.
 */
export async function openSerdes(topology: Topology, named = true): Promise<void> {
  const internal: AnySerde[] = []
  for (const node of topology.nodes) {
    if (node.kind === 'sink') {
      await node.key.open?.(named ? node.topic : undefined, 'key')
      await node.value.open?.(named ? node.topic : undefined, 'value')
    } else if (node.kind === 'repartition') internal.push(node.key, node.value)
    else if (node.kind === 'global-table') internal.push(node.key)
    else if (node.kind === 'foreign-key-subscribe') internal.push(node.key, node.value)
    else for (const { key, value } of ownStores(node)) internal.push(key, value)
  }
  for (const serde of internal) await serde.open?.()
}
