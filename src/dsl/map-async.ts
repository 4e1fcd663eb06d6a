/** Values that come from a promise. */

import { messageOf } from '../common/errors.ts'
import { type Duration, durationMs } from '../common/time.ts'
import type { SourceLocation } from '../topology/node.ts'
import { callSite } from './call-site.ts'
import { invalid, requireFunction, requireName } from './invalid.ts'
import { displayName, type UserFunction } from './stateless.ts'
import type { StreamState } from './stream-state.ts'

export interface MapAsyncArguments {
  readonly concurrency?: number | undefined
  readonly timeout?: Duration | undefined
}

const defaultConcurrency = 100
const defaultTimeout = '30s'

export function mapAsync(
  state: StreamState,
  given: unknown,
  mapper: unknown,
  { concurrency = defaultConcurrency, timeout = defaultTimeout }: MapAsyncArguments = {},
): StreamState {
  const site = callSite()
  const { graph } = state
  const call = `${graph.nameOf(state.node)}.mapAsync`
  const name = displayName(state, 'mapAsync', requireName(given, 'name', call, site), site)
  requireFunction(mapper, 'mapper', name, site)
  if (!Number.isSafeInteger(concurrency) || concurrency < 1) {
    throw invalid(`${name}: ${String(concurrency)} is no number of calls`, 'Give a whole number above 0.', name, site)
  }
  const timeoutMs = timeoutOf(timeout, name, site)
  const body = {
    kind: 'map-async',
    parents: [state.node],
    mapper: mapper as UserFunction,
    concurrency,
    timeoutMs,
  } as const
  return { ...state, node: graph.add(body, name, site), value: { lostBy: name } }
}

function timeoutOf(given: Duration, name: string, site: SourceLocation | undefined): number {
  const fix = "Give a time above 0, in ms or with a unit: timeout: '10s'."
  let ms: number
  try {
    ms = durationMs(given, 'timeout')
  } catch (thrown) {
    throw invalid(`${name}: ${messageOf(thrown)}`, fix, name, site)
  }
  if (ms === 0) throw invalid(`${name}: a call may take 0 ms`, fix, name, site)
  return ms
}
