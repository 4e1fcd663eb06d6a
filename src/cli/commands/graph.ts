/** `graph`: a picture of a topology, on stdout and nowhere else. */

import { describe, type GraphFormat } from '../../topology/describe.ts'
import { envelope, type Io } from '../io.ts'
import { loadTopology } from '../load.ts'

export interface GraphOptions {
  readonly appId?: string | undefined
  readonly format?: GraphFormat | undefined
  readonly json?: boolean | undefined
}

export async function graph(file: string, options: GraphOptions, io: Io): Promise<number> {
  const topology = await loadTopology(file, io)
  const format = options.json === true ? 'json' : (options.format ?? 'text')
  const picture = describe(topology, format, options.appId)
  if (format === 'json') await io.out.json(envelope('graph', options.appId ?? topology.name, JSON.parse(picture)))
  else await io.out.text(picture.endsWith('\n') ? picture : `${picture}\n`)
  return 0
}
