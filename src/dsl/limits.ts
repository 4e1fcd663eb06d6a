/** Streams that are passed on in part: without what came before, or no more than so much at a time. */

import type { Storage } from '../common/storage.ts'
import type { Duration } from '../common/time.ts'
import { windowRetentionMs } from '../common/windows.ts'
import { identified } from '../serde/identified.ts'
import { passes } from '../serde/passes.ts'
import type { DedupeNode, SourceLocation } from '../topology/node.ts'
import { callSite } from './call-site.ts'
import { invalid, requireDuration, requirePeriod, requireSync } from './invalid.ts'
import { repartition } from './repartition.ts'
import type { UserFunction } from './stateless.ts'
import { type GivenSerdes, requireSerde, type StreamState, withSerdes } from './stream-state.ts'

interface LimitArguments extends GivenSerdes {
  readonly by?: unknown
  readonly grace?: Duration | undefined
  readonly storage?: Storage | undefined
}

export interface DedupeArguments extends LimitArguments {
  readonly within?: Duration | undefined
}

export interface RateLimitArguments extends LimitArguments {
  readonly limit?: number | undefined
  readonly per?: Duration | undefined
}

/** A row holds the time of each pass, and has to fit into a record of the changelog. */
const mostLimit = 100_000

/** The stream without duplicates. */
export function dedupe(state: StreamState, given: unknown, options: DedupeArguments | undefined): StreamState {
  const site = callSite()
  const args = { ...options, period: options?.within }
  const { input, name, body } = limited(state, given, 'dedupe', 'within', args, site)
  const node = input.graph.add({ kind: 'dedupe', ...body }, name, site)
  return { ...input, node }
}

/** What the limit lets pass, and the rest. */
export function rateLimit(
  state: StreamState,
  given: unknown,
  options: RateLimitArguments | undefined,
): { readonly within: StreamState; readonly over: StreamState } {
  const site = callSite()
  const { limit } = options ?? {}
  const args = { ...options, period: options?.per }
  const { input, name, body } = limited(state, given, 'rateLimit', 'per', args, site)
  if (!Number.isSafeInteger(limit) || (limit as number) < 1 || (limit as number) > mostLimit) {
    const fix = `Give a whole number from 1 to ${mostLimit}: rateLimit('${name}', { limit: 100, per: '1m' }).`
    throw invalid(`${name}: the limit ${String(limit)} is no number of records`, fix, name, site)
  }
  const { graph } = input
  const node = graph.add({ kind: 'rate-limit', ...body, limit: limit as number }, name, site)
  const branch = (which: 'within' | 'over', index: number): StreamState => {
    const branchName = graph.pathName(node, which)
    return { ...input, node: graph.add({ kind: 'branch', parents: [node], index }, branchName, site) }
  }
  return { within: branch('within', 0), over: branch('over', 1) }
}

/** A re-keyed stream goes through a topic named as the store first: the records of one key have to meet. */
function limited(
  state: StreamState,
  given: unknown,
  method: 'dedupe' | 'rateLimit',
  option: 'within' | 'per',
  options: LimitArguments & { readonly period: Duration | undefined },
  site: SourceLocation | undefined,
): {
  readonly input: StreamState
  readonly name: string
  readonly body: Omit<DedupeNode, 'kind' | 'id' | 'name' | 'where'>
} {
  const { graph } = state
  const call = `${graph.nameOf(state.node)}.${method}`
  const name = graph.claimStore(given, call, site)
  const fix = `${method}('${name}', { ${option}: '1h', ... })`
  const periodMs = requirePeriod(options.period, option, `${option}: '1h'`, name, site)
  const graceMs = options.grace === undefined ? periodMs : requireDuration(options.grace, 'grace', name, site)
  const by = options.by === undefined ? {} : { by: requireSync(options.by, '`by`', name, site) as UserFunction }
  const known = withSerdes(state, options)
  const input = state.rekeyed ? repartition(known, name, undefined, name, fix, site) : known
  const key = requireSerde(input.key, 'key', 'for its store', fix.replace('...', 'key: string'), name, site)
  // A pass counts for records up to a period after its bucket, and these may be late by the grace.
  const windows = { kind: 'time', sizeMs: periodMs, advanceMs: periodMs, graceMs: periodMs + graceMs } as const
  const store = graph.storeSpec(
    {
      name,
      kind: 'window',
      key: options.by === undefined ? key : identified(key),
      value: passes,
      windows,
      retentionMs: windowRetentionMs(windows),
    },
    options.storage,
  )
  return { input, name, body: { parents: [input.node], store, key, ...by, periodMs, graceMs } }
}
