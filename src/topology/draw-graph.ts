/** A graph as Mermaid and Graphviz source: one box per sub-topology, topics outside of the boxes, as they connect them. */

import type { GraphData, GraphNode } from './graph-data.ts'

export function drawMermaid(graph: GraphData): string {
  const lines = ['flowchart LR']
  const { topics, edges, boxes } = layout(graph)
  for (const [topic, id] of topics) lines.push(`  ${id}[["${mermaidText(topic)}"]]`)
  for (const { id, name } of graph.globalTables ?? []) lines.push(`  n${id}[("${name}")]`)
  for (const [id, nodes] of boxes) {
    lines.push(`  subgraph sub${id}["sub-topology ${id}"]`)
    for (const node of nodes) lines.push(`    ${mermaidNode(node)}`)
    lines.push('  end')
  }
  for (const [from, to] of edges) lines.push(`  ${from} --> ${to}`)
  return `${lines.join('\n')}\n`
}

export function drawDot(graph: GraphData): string {
  const lines = [`digraph "${graph.name}" {`, '  rankdir=LR', '  node [shape=box]']
  const { topics, edges, boxes } = layout(graph)
  for (const [topic, id] of topics) lines.push(`  ${id} [label="${dotText(topic)}" shape=cds]`)
  for (const { id, name } of graph.globalTables ?? []) lines.push(`  n${id} [label="${name}" shape=cylinder]`)
  for (const [id, nodes] of boxes) {
    lines.push(`  subgraph cluster_${id} {`, `    label="sub-topology ${id}"`)
    for (const node of nodes) {
      const shape = node.stores.length > 0 ? ' shape=cylinder' : node.kind === 'filter' ? ' shape=diamond' : ''
      lines.push(`    n${node.id} [label="${dotText(node.name)}"${shape}]`)
    }
    lines.push('  }')
  }
  for (const [from, to] of edges) lines.push(`  ${from} -> ${to}`)
  lines.push('}')
  return `${lines.join('\n')}\n`
}

function mermaidNode(node: GraphNode): string {
  const name = mermaidText(node.name)
  if (node.stores.length > 0) return `n${node.id}[("${name}")]`
  return node.kind === 'filter' ? `n${node.id}{"${name}"}` : `n${node.id}["${name}"]`
}

/** Patterns may hold anything. */
function mermaidText(text: string): string {
  return text.replaceAll('"', '#quot;')
}

function dotText(text: string): string {
  return text.replaceAll(/[\\"]/g, '\\$&')
}

/** Topics become nodes of their own; sources, sinks and repartitions are only the edges to and from them. */
function layout(graph: GraphData): {
  readonly topics: ReadonlyMap<string, string>
  readonly edges: readonly (readonly [string, string])[]
  readonly boxes: readonly (readonly [number, readonly GraphNode[]])[]
} {
  const topics = new Map<string, string>()
  const edges: (readonly [string, string])[] = []
  const boxes: (readonly [number, readonly GraphNode[]])[] = []
  for (const sub of graph.subTopologies) {
    const idOf = new Map<number, string>()
    for (const { id, topic } of sub.nodes) {
      if (topic !== undefined && !topics.has(topic)) topics.set(topic, `t${topics.size}`)
      idOf.set(id, topic === undefined ? `n${id}` : (topics.get(topic) as string))
    }
    boxes.push([sub.id, sub.nodes.filter((node) => node.topic === undefined)])
    for (const [from, to] of sub.edges) edges.push([idOf.get(from) as string, idOf.get(to) as string])
  }
  for (const table of graph.globalTables ?? []) {
    if (!topics.has(table.topic)) topics.set(table.topic, `t${topics.size}`)
    edges.push([topics.get(table.topic) as string, `n${table.id}`])
    const joins = boxes.flatMap(([, nodes]) => nodes).filter((node) => node.globalTable === table.name)
    for (const join of joins) edges.push([`n${table.id}`, `n${join.id}`])
  }
  return { topics, edges, boxes }
}
