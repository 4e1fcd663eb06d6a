/** Topics of the user's that are changelogs of the tables made of them: read as such, and never made, written, purged or deleted. */

import type { StoreSpec, TableNode, Topology } from './node.ts'

export function hasOwnChangelog({ sourceTopic }: Pick<StoreSpec, 'sourceTopic'>): boolean {
  return sourceTopic === undefined
}

/** By topic, the table whose changelog it is. */
export function tablesBySourceTopic({ nodes }: Topology): ReadonlyMap<string, TableNode> {
  return new Map(
    nodes.flatMap((node) =>
      node.kind === 'table' && node.store.sourceTopic !== undefined ? [[node.store.sourceTopic, node]] : [],
    ),
  )
}
