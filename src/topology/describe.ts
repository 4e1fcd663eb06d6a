/** A topology for people and for programs, without running anything. */

import { drawDot, drawMermaid } from './draw-graph.ts'
import { drawText } from './draw-text.ts'
import { graphData } from './graph-data.ts'
import type { Topology } from './node.ts'

export type GraphFormat = 'text' | 'mermaid' | 'dot' | 'json'

/**
 * The topology's sub-topologies, stores and topics in a format; ends in a newline.
 * @param app application id, the prefix of internal topics. Default the topology's name.
 */
export function describe(topology: Topology, format: GraphFormat, app: string = topology.name): string {
  const graph = graphData(topology, app)
  switch (format) {
    case 'text':
      return drawText(graph)
    case 'mermaid':
      return drawMermaid(graph)
    case 'dot':
      return drawDot(graph)
    case 'json':
      return `${JSON.stringify(graph, null, 2)}\n`
  }
}
