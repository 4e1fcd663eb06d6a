/** Loops of topics, in words. */

import { relative } from 'node:path'
import { loops } from '../topology/loops.ts'
import type { Topology } from '../topology/node.ts'
import type { Warning } from './io.ts'

export function loopWarnings(topology: Topology, cwd: string): readonly Warning[] {
  return loops(topology).map(({ topics, sink: { name, where } }) => {
    const [topic, ...way] = topics
    const through = way.length === 1 ? '' : ` by way of ${way.slice(0, -1).join(', ')}`
    const place = where === undefined ? name : `${name}, ${relative(cwd, where.file)}:${where.line}`
    return {
      code: 'LOOP',
      message: `topic ${topic} is written again with what is read from it${through} (${place}): records may go round for ever`,
    }
  })
}
