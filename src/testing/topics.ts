/** The topics of a test and what is planned for them: those of the user's that the topology names, and those that its patterns come to match. */

import { StreamError } from '../common/errors.ts'
import { type Plan, planWith } from '../runtime/plan.ts'
import type { AnySerde } from '../serde/serde.ts'
import { externalTopics } from '../topology/external-topics.ts'
import type { GlobalTableNode, PatternSourceNode, SourceNode, Topology } from '../topology/node.ts'
import { matching, patternsOf } from '../topology/patterns.ts'

export interface TopicOptions {
  readonly appId: string
  /** Of all topics, or by their names; those that are not named have one. */
  readonly partitions: number | Readonly<Record<string, number>>
  /** Of the topics that patterns match, those that are there at first. */
  readonly topics: readonly string[]
}

interface Serdes {
  readonly key: AnySerde
  readonly value: AnySerde
}

export class TestTopics {
  readonly #topology: Topology
  readonly #options: TopicOptions
  readonly patterns: readonly PatternSourceNode[]
  #counts: ReadonlyMap<string, number>
  #plan: Plan
  #serdes: ReadonlyMap<string, Serdes>

  /** @throws StreamError INVALID_TOPOLOGY, NOT_COPARTITIONED; INVALID_ARGUMENT for partitions that are no number, or of no topic of the topology. */
  constructor(topology: Topology, options: TopicOptions) {
    this.#topology = topology
    this.#options = options
    this.patterns = patternsOf(topology)
    const { read, written, global } = externalTopics(topology)
    const topics = [...new Set([...read, ...written, ...global, ...options.topics])]
    if (typeof options.partitions !== 'number') this.#checkNames(Object.keys(options.partitions), topics)
    this.#counts = new Map(topics.map((topic) => [topic, this.#countOf(topic)]))
    this.#plan = planWith(topology, options.appId, this.#counts)
    this.#serdes = serdesOf(this.#plan)
  }

  get plan(): Plan {
    return this.#plan
  }

  /** Of each topic that is read or written. */
  get serdes(): ReadonlyMap<string, Serdes> {
    return this.#serdes
  }

  /** A topic may match a pattern and not have been there before. @returns whether the plan is another now. */
  meet(topic: string): boolean {
    if (this.#plan.externalSources.includes(topic) || !this.#matches(topic)) return false
    this.#counts = new Map(this.#counts).set(topic, this.#countOf(topic))
    this.#plan = planWith(this.#topology, this.#options.appId, this.#counts)
    this.#serdes = serdesOf(this.#plan)
    return true
  }

  /** What reads a topic. @throws StreamError INVALID_ARGUMENT when nothing does. */
  source(topic: string): SourceNode | GlobalTableNode {
    const read = this.#plan.topology.nodes.filter((node) => node.kind === 'source' || node.kind === 'global-table')
    const node = read.find((node) => node.topic === topic)
    if (node !== undefined) return node
    throw new StreamError('INVALID_ARGUMENT', `the topology does not read topic ${topic}`, {
      hint: `It reads: ${[...new Set([...read.map((node) => node.topic), ...this.patterns.map(({ name }) => name)])].join(', ')}.`,
    })
  }

  #matches(topic: string): boolean {
    return matching(this.patterns, this.#options.appId, [topic]).length > 0
  }

  #checkNames(given: readonly string[], topics: readonly string[]): void {
    const unknown = given.find((topic) => !topics.includes(topic) && !this.#matches(topic))
    if (unknown === undefined) return
    throw new StreamError('INVALID_ARGUMENT', `partitions: the topology neither reads nor writes topic ${unknown}`, {
      hint: `Its topics: ${[...topics, ...this.patterns.map(({ name }) => name)].join(', ')}.`,
    })
  }

  #countOf(topic: string): number {
    const { partitions } = this.#options
    const isForAll = typeof partitions === 'number'
    const count = isForAll ? partitions : Object.hasOwn(partitions, topic) ? partitions[topic] : 1
    if (Number.isSafeInteger(count) && (count as number) > 0) return count as number
    const whose = isForAll ? '' : ` of topic ${topic}`
    throw new StreamError('INVALID_ARGUMENT', `partitions: ${String(count)}${whose} is no number of partitions`, {
      hint: 'Give a whole number above 0.',
    })
  }
}

function serdesOf({ topology }: Plan): ReadonlyMap<string, Serdes> {
  return new Map(
    topology.nodes.flatMap((node) =>
      node.kind === 'source' || node.kind === 'sink' || node.kind === 'global-table' ? [[node.topic, node]] : [],
    ),
  )
}
