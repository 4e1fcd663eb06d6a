/** Where a stream ends: in a topic of the user's, in one of several, or on a line. */

import type { TopicDefinition } from '../serde/topic.ts'
import type { TopicPattern } from '../serde/topic-pattern.ts'
import type { SourceLocation } from '../topology/node.ts'
import { callSite } from './call-site.ts'
import { invalid } from './invalid.ts'
import { givenPartitioner } from './repartition.ts'
import { displayName, type UserFunction } from './stateless.ts'
import type { StreamState } from './stream-state.ts'
import type { AnySink } from './types.ts'

export interface SinkArguments {
  readonly among?: readonly AnySink[] | undefined
  readonly partitioner?: unknown
}

/** Writes the stream to a topic, or to the one that a function chooses among the declared ones. */
export function sink(state: StreamState, target: AnySink | UserFunction, options: SinkArguments | undefined): void {
  const site = callSite()
  const { graph } = state
  const name = displayName(state, 'to', undefined, site)
  const chosen = givenPartitioner(options?.partitioner, name, site)
  if (typeof target !== 'function') {
    const { key, value } = requireTopic(target, name, site)
    graph.add({ kind: 'sink', parents: [state.node], topic: target.name, key, value, ...chosen }, name, site)
    return
  }
  const topics = amongTopics(options?.among, name, site)
  const names = Object.freeze(topics.map((topic) => topic.name))
  const node = graph.add({ kind: 'choose-topic', parents: [state.node], chooser: target, topics: names }, name, site)
  for (const [index, { name: topic, key, value }] of topics.entries()) {
    const branch = graph.add({ kind: 'branch', parents: [node], index }, graph.pathName(node, topic), site)
    const path = graph.pathName(branch, 'to')
    graph.add({ kind: 'sink', parents: [branch], topic, key, value, ...chosen }, path, site)
  }
}

function amongTopics(
  among: readonly AnySink[] | undefined,
  name: string,
  site: SourceLocation | undefined,
): readonly TopicDefinition<unknown, unknown>[] {
  const fix = 'Declare those it chooses among: to((order) => (order.large ? large : small), { among: [large, small] }).'
  if (!Array.isArray(among) || among.length === 0) {
    throw invalid(`${name} was given a function, and no topics that it chooses among`, fix, name, site)
  }
  const topics = (among as readonly AnySink[]).map((topic) => requireTopic(topic, name, site))
  const twice = topics.find((topic, at) => topics.some((other, before) => before < at && other.name === topic.name))
  if (twice !== undefined) throw invalid(`${name}: the topic ${twice.name} is among the choices twice`, fix, name, site)
  return topics
}

/** The topic as declared: the facade's types show only the half that a call needs. */
export function requireTopic(
  topic: { readonly kind: 'topic' | 'topic-pattern'; readonly name: string },
  call: string,
  site: SourceLocation | undefined,
): TopicDefinition<unknown, unknown> {
  if (topic?.kind === 'topic-pattern') {
    const fix = 'Name a topic. The rows of all topics that match are a table with b.stream(pattern).toTable(name).'
    throw invalid(`${call} was given the pattern ${topic.name}, and only streams are read by one`, fix, call, site)
  }
  if (topic?.kind === 'topic' && 'key' in topic && 'value' in topic) return topic as TopicDefinition<unknown, unknown>
  throw invalid(
    `${call} was not given a topic`,
    "Declare it: topic('orders', { key: string, value: json<Order>() }).",
    call,
    site,
  )
}

/** As `requireTopic`, or the topics that a pattern stands for. */
export function requireTopics(
  given: { readonly kind: 'topic' | 'topic-pattern'; readonly name: string },
  site: SourceLocation | undefined,
): TopicDefinition<unknown, unknown> | TopicPattern<unknown, unknown> {
  return given?.kind === 'topic-pattern' && 'pattern' in given
    ? (given as TopicPattern<unknown, unknown>)
    : requireTopic(given, 'stream', site)
}

export interface PrintArguments {
  readonly label?: unknown
  readonly limit?: unknown
}

/** Without a label that of the node before. */
export function print(state: StreamState, options: PrintArguments | undefined): void {
  const site = callSite()
  const { graph } = state
  const name = displayName(state, 'print', undefined, site)
  const { label = graph.nameOf(state.node), limit = Number.POSITIVE_INFINITY } = options ?? {}
  if (typeof label !== 'string') {
    throw invalid(`${name}: the label is not a text`, "Give one: print({ label: 'orders' }).", name, site)
  }
  if (limit !== Number.POSITIVE_INFINITY && !(Number.isSafeInteger(limit) && (limit as number) >= 0)) {
    throw invalid(`${name}: the limit ${String(limit)} is no number of records`, 'Give a whole number.', name, site)
  }
  graph.add({ kind: 'print', parents: [state.node], label, limit: limit as number }, name, site)
}
