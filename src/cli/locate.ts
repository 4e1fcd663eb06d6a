/** Where in the user's file an error came from: the line that threw, or the call that made the processor. */

import { type ErrorLocation, located, StreamError } from '../common/errors.ts'
import type { Topology } from '../topology/node.ts'
import { frameIn } from './load.ts'

/** The same error with the user's file and line, when they can be told. */
export function locatedIn(thrown: unknown, topology: Topology): unknown {
  if (!(thrown instanceof StreamError) || thrown.where.file !== undefined) return thrown
  const place = thrownAt(thrown) ?? madeAt(thrown.where.node, topology)
  if (place === undefined) return thrown
  return located(thrown, place)
}

function thrownAt(error: StreamError): ErrorLocation | undefined {
  if (error.code !== 'PROCESSING') return undefined
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause) {
    const frame = frameIn(cause)
    if (frame !== undefined) return frame
  }
  return undefined
}

function madeAt(node: string | undefined, topology: Topology): ErrorLocation | undefined {
  return node === undefined ? undefined : topology.nodes.find((candidate) => candidate.name === node)?.where
}
