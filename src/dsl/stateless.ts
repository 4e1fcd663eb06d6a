/** Operators without a store. Which of them change the key is decided here, once, as Kafka Streams does. */

import type { MergeNode, NodeId, SourceLocation } from '../topology/node.ts'
import { callSite } from './call-site.ts'
import type { NodeBody } from './graph.ts'
import { invalid, requireFunction, requireSync } from './invalid.ts'
import type { StreamState } from './stream-state.ts'
import { otherwise } from './types.ts'

// biome-ignore lint/suspicious/noExplicitAny: a user function of any type; the facade has checked it.
export type UserFunction = (...args: any[]) => any

type Arguments = readonly [first: string | UserFunction, second?: UserFunction | undefined]

/** Nobody looks at what these return, and a promise that rejects is a failure of the application. */
const actions: ReadonlySet<string> = new Set(['peek', 'foreach'])

/** Adds one operator: `args` is [function] or [display name, function]. */
export function stateless(
  state: StreamState,
  method: string,
  args: Arguments,
  body: (fn: UserFunction, parents: readonly NodeId[]) => NodeBody,
): StreamState {
  const site = callSite()
  const named = args.length > 1 && args[1] !== undefined ? true : typeof args[0] === 'string'
  const name = displayName(state, method, named ? args[0] : undefined, site)
  const check = actions.has(method) ? requireFunction : requireSync
  const fn = check(named ? args[1] : args[0], 'argument', name, site) as UserFunction
  const node = body(fn, [state.node])
  return after(state, node, state.graph.add(node, name, site), name)
}

/** The given name, or the path of calls. */
export function displayName(
  state: Pick<StreamState, 'graph' | 'node'>,
  method: string,
  given: unknown,
  site: SourceLocation | undefined,
): string {
  const { graph, node } = state
  return given === undefined
    ? graph.pathName(node, method)
    : graph.givenName(given, `${graph.nameOf(node)}.${method}`, site)
}

function after(state: StreamState, body: NodeBody, node: NodeId, name: string): StreamState {
  const lost = { lostBy: name }
  switch (body.kind) {
    case 'map':
    case 'flat-map':
      return { ...state, node, key: lost, value: lost, rekeyed: true }
    case 'select-key':
      return { ...state, node, key: lost, rekeyed: true }
    case 'map-values':
    case 'flat-map-values':
      return { ...state, node, value: lost }
    default:
      return { ...state, node }
  }
}

/** One stream of several. It keeps a serde only where all have the same, and is re-keyed when any is. */
export function merge(streams: readonly StreamState[], given: unknown): StreamState {
  const site = callSite()
  const [first, ...others] = streams as [StreamState, ...StreamState[]]
  const name = displayName(first, 'merge', given, site)
  for (const other of others) requireSameGraph(first, other, name, site)
  const body: Omit<MergeNode, 'id' | 'name' | 'where'> = {
    kind: 'merge',
    parents: streams.map((stream) => stream.node),
  }
  const lost = { lostBy: name }
  return {
    graph: first.graph,
    node: first.graph.add(body, name, site),
    key: others.every((other) => other.key === first.key) ? first.key : lost,
    value: others.every((other) => other.value === first.value) ? first.value : lost,
    rekeyed: streams.some((stream) => stream.rekeyed),
  }
}

/** @throws StreamError INVALID_TOPOLOGY when the other came from another defineTopology. */
export function requireSameGraph(
  state: Pick<StreamState, 'graph'>,
  other: Pick<StreamState, 'graph'>,
  call: string,
  site: SourceLocation | undefined,
): void {
  if (state.graph === other.graph) return
  throw invalid(
    `${call} brings together a stream of the topology '${state.graph.topology}' and one of '${other.graph.topology}'`,
    'Build both from the same b; two topologies meet only in a topic.',
    call,
    site,
  )
}

/** In an object JavaScript puts such keys first, whatever the order they were written in. */
const indexLike = /^\d+$/

/** One stream per branch, tried in the order written. */
export function split(
  state: StreamState,
  given: unknown,
  branches: Readonly<Record<string, UserFunction | typeof otherwise>>,
): Readonly<Record<string, StreamState>> {
  const site = callSite()
  const name = displayName(state, 'split', given, site)
  const entries = Object.entries(branches)
  if (entries.length === 0) {
    throw invalid(
      `${name} has no branch`,
      'Name at least one: split({ good: v => v.ok, rest: otherwise }).',
      name,
      site,
    )
  }
  for (const [at, [branch, predicate]] of entries.entries()) {
    if (branch === '' || indexLike.test(branch)) {
      throw invalid(
        `${name}: a branch ${branch === '' ? 'has no name' : `is named ${branch}, and numbers lose their order`}`,
        'Give each branch a word for a name: split({ good: v => v.ok, rest: otherwise }).',
        name,
        site,
      )
    }
    if (predicate !== otherwise) requireSync(predicate, `predicate of branch ${branch}`, name, site)
    else if (at < entries.length - 1) {
      throw invalid(`${name}: no record reaches the branches after ${branch}`, 'Put otherwise last.', name, site)
    }
  }
  const predicates = Object.freeze(entries.map(([, predicate]) => (predicate === otherwise ? null : predicate)))
  const node = state.graph.add({ kind: 'split', parents: [state.node], predicates }, name, site)
  return Object.fromEntries(
    entries.map(([branch], index) => {
      const branchName = state.graph.pathName(node, branch)
      const branchNode = state.graph.add({ kind: 'branch', parents: [node], index }, branchName, site)
      return [branch, { ...state, node: branchNode }]
    }),
  )
}
