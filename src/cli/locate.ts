/** Where in the user's file an error came from: the line that threw, or the call that made the processor. */

import { type ErrorLocation, located, relocated, StreamError } from '../common/errors.ts'
import type { Topology } from '../topology/node.ts'
import { frameIn } from './load.ts'

/** The same error with the user's file and line, when they can be told; the line that threw says more than the call it is in. */
export function locatedIn(thrown: unknown, topology: Topology): unknown {
  if (!(thrown instanceof StreamError)) return thrown
  const frame = thrownAt(thrown)
  if (frame !== undefined) return relocated(thrown, { ...thrown.where, ...frame })
  const place = madeAt(thrown.where.node, topology)
  return place === undefined ? thrown : located(thrown, place)
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
