/** A graph as text for terminals and diffs: one tree per topic that is read; a node is drawn once and named after that. */

import type { GraphData, GraphNode, GraphStore, GraphSubTopology } from './graph-data.ts'

const legend = '(topic) [stateless] <filter> {stateful}= store  |table|=  * repartition'

export function drawText(graph: GraphData): string {
  const lines = [graph.name, '']
  if (graph.idleCloseMs !== undefined) lines.push(`closes windows after ${graph.idleCloseMs} ms without input`, '')
  for (const sub of graph.subTopologies) {
    lines.push(`sub-topology ${sub.id}`)
    for (const line of drawSubTopology(sub)) lines.push(`  ${line}`)
    lines.push('')
  }
  if (graph.stores.length > 0) {
    lines.push('stores')
    const rows = graph.stores.map((store) => {
      return [store.name, store.kind, `${store.key} -> ${store.value}`, store.storage, windowsOf(store)]
    })
    lines.push(...columns(rows), '')
  }
  if (graph.globalTables !== undefined) {
    const rows = graph.globalTables.map(({ name, topic, key, value }) => [name, `(${topic})`, `${key} -> ${value}`])
    lines.push('global tables', ...columns(rows), '')
  }
  if (graph.internalTopics.length > 0) {
    lines.push('internal topics', ...graph.internalTopics.map((topic) => `  ${topic.name}`), '')
  }
  lines.push(`legend  ${legend}`)
  return `${lines.join('\n')}\n`
}

function windowsOf(store: GraphStore): string {
  return store.emit === undefined ? sizesOf(store) : `${sizesOf(store)}, emit ${store.emit}`
}

function sizesOf({ windows, session, sliding, join, historyMs, ttlMs, sourceTopic }: GraphStore): string {
  if (sourceTopic !== undefined) return `changelog (${sourceTopic})`
  if (join !== undefined) return `before ${join.beforeMs} ms, after ${join.afterMs} ms, grace ${join.graceMs} ms`
  if (historyMs !== undefined) return `history ${historyMs} ms`
  if (ttlMs !== undefined) return `ttl ${ttlMs} ms`
  if (windows !== undefined)
    return `size ${windows.sizeMs} ms, advance ${windows.advanceMs} ms, grace ${windows.graceMs} ms`
  if (sliding !== undefined) return `time difference ${sliding.timeDifferenceMs} ms, grace ${sliding.graceMs} ms`
  return session === undefined ? '' : `gap ${session.gapMs} ms, grace ${session.graceMs} ms`
}

function drawSubTopology(sub: GraphSubTopology): readonly string[] {
  const children = new Map<number, number[]>()
  const fed = new Map<number, number>()
  for (const [from, to] of sub.edges) {
    children.set(from, [...(children.get(from) ?? []), to])
    fed.set(to, from)
  }
  const byId = new Map(sub.nodes.map((node) => [node.id, node]))
  const drawn = new Set<number>()

  const block = (id: number, parent: GraphNode | undefined): readonly string[] => {
    const node = byId.get(id) as GraphNode
    const text = label(node, parent)
    if (drawn.has(id)) return [`${text} (see above)`]
    drawn.add(id)
    const below = (children.get(id) ?? []).map((child) => () => block(child, node))
    const [only] = below
    if (only === undefined) return [text]
    const gap = ' '.repeat(text.length)
    if (below.length === 1) return indented(only(), `${text} ──> `, `${gap}     `)
    return below.flatMap((draw, nth) => {
      const last = nth === below.length - 1
      const head = nth === 0 ? `${text} ──┬─> ` : `${gap}   ${last ? '└' : '├'}─> `
      return indented(draw(), head, `${gap}   ${last ? ' ' : '│'}   `)
    })
  }
  return sub.nodes.filter((node) => !fed.has(node.id)).flatMap((node) => block(node.id, undefined))
}

function indented(lines: readonly string[], first: string, rest: string): readonly string[] {
  return lines.map((line, nth) => `${nth === 0 ? first : rest}${line}`)
}

function label(node: GraphNode, parent: GraphNode | undefined): string {
  const prefix = `${parent?.name}.`
  const name = parent !== undefined && node.name.startsWith(prefix) ? node.name.slice(prefix.length) : node.name
  switch (node.kind) {
    case 'source':
    case 'pattern-source':
    case 'sink':
      return node.late === true ? `late (${node.topic})` : `(${node.topic})`
    case 'repartition':
      return `(${node.name})*`
    case 'filter':
    case 'table-filter':
    case 'split':
    case 'choose-topic':
    case 'branch':
      return `<${name}>`
    case 'table':
      return `|${name}|=`
    case 'aggregate':
    case 'dedupe':
    case 'rate-limit':
    case 'table-aggregate':
    case 'window-aggregate':
    case 'sliding-aggregate':
    case 'session-aggregate':
    case 'suppress':
    case 'table-transform-values':
    case 'stream-stream-join':
      return `{${name}}=`
    case 'foreign-key-result':
      return node.stores.includes(name) ? `{${name}}=` : `[${name}]`
    case 'process':
      return node.stores.length > 0 ? `{${name}}=` : `[${name}]`
    case 'stream-table-join':
    case 'table-table-join':
    case 'foreign-key-join':
      return `{${name} with ${node.stores.join()}}`
    case 'stream-global-table-join':
      return `[${name} with ${node.globalTable}]`
    default:
      return `[${name}]`
  }
}

function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => (row[at] ?? '').length)))
  return rows.map((row) => `  ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ')}`.trimEnd())
}
