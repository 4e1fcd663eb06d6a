/** A sub-topology's processors in the order records flow, each once: below the first of its parents, the others named beside it. */

import type { ProcessorSnapshot } from '../../metrics/snapshot.ts'

export interface TreeNode {
  readonly kind: 'processor' | 'inlet'
  /** The processor; for an inlet, the one of another sub-topology whose topic is read here. */
  readonly processor: ProcessorSnapshot
  /** For each level above: whether the line goes on below this row. Empty for roots. */
  readonly rails: readonly boolean[]
  /** Further parents, by name. */
  readonly joins: readonly string[]
}

export interface SubTopologyTree {
  readonly id: number
  readonly nodes: readonly TreeNode[]
}

export function trees(processors: readonly ProcessorSnapshot[]): readonly SubTopologyTree[] {
  const byId = new Map(processors.map((processor) => [processor.id, processor]))
  const ids = [...new Set(processors.map((processor) => processor.subTopology))].sort((a, b) => a - b)
  return ids.map((id) => ({ id, nodes: flow(id, processors, byId) }))
}

function flow(
  id: number,
  processors: readonly ProcessorSnapshot[],
  byId: ReadonlyMap<number, ProcessorSnapshot>,
): readonly TreeNode[] {
  const members = processors.filter((processor) => processor.subTopology === id).sort((a, b) => a.id - b.id)
  const children = new Map<number, ProcessorSnapshot[]>()
  const roots: ProcessorSnapshot[] = []
  for (const member of members) {
    const parent = member.parents.map((parent) => byId.get(parent)).find((parent) => parent !== undefined)
    if (parent === undefined) {
      roots.push(member)
      continue
    }
    const siblings = children.get(parent.id)
    if (siblings === undefined) children.set(parent.id, [member])
    else siblings.push(member)
    if (parent.subTopology !== id && !roots.includes(parent)) roots.push(parent)
  }
  const nodes: TreeNode[] = []
  const walk = (processor: ProcessorSnapshot, rails: readonly boolean[]): void => {
    const kind = processor.subTopology === id ? 'processor' : 'inlet'
    const others = kind === 'inlet' ? [] : processor.parents.slice(1)
    nodes.push({ kind, processor, rails, joins: others.map((parent) => byId.get(parent)?.name ?? `#${parent}`) })
    const below = children.get(processor.id) ?? []
    below.forEach((child, index) => {
      walk(child, [...rails, index < below.length - 1])
    })
  }
  for (const root of roots.sort((a, b) => a.id - b.id)) walk(root, [])
  return nodes
}
