/** The graph while it is being built: nodes only ever come in, under names that no two share, until it is sealed. */

import type { StreamError } from '../common/errors.ts'
import type { Storage } from '../common/storage.ts'
import type { AnySerde } from '../serde/serde.ts'
import type { DeserializationPolicy } from '../serde/topic.ts'
import type { TopicPattern } from '../serde/topic-pattern.ts'
import type {
  NodeId,
  PatternSourceNode,
  SourceLocation,
  SourceNode,
  StartFrom,
  StoreSpec,
  TimestampPolicy,
  Topology,
  TopologyNode,
} from '../topology/node.ts'
import { callSite } from './call-site.ts'
import { invalid, placesOf, requireName } from './invalid.ts'
import { agreed } from './start-from.ts'
import { Storages } from './storage.ts'

type Without<N, P extends PropertyKey> = N extends unknown ? Omit<N, P> : never
/** A node before it has its id, name and place. */
export type NodeBody = Without<TopologyNode, 'id' | 'name' | 'where'>

export interface ReadArguments {
  readonly key: AnySerde
  readonly value: AnySerde
  readonly onDeserializationError: DeserializationPolicy
  readonly timestamp?: SourceNode['timestamp'] & {}
  readonly onInvalidTimestamp: TimestampPolicy
  readonly startFrom?: StartFrom
}

export class Graph {
  readonly topology: string
  readonly #nodes: TopologyNode[] = []
  readonly #names = new Map<string, SourceLocation | undefined>()
  readonly #stores = new Map<string, SourceLocation | undefined>()
  readonly #shared = new Map<object, StoreSpec>()
  readonly #repartitions = new Map<string, SourceLocation | undefined>()
  readonly #globals = new Map<string, SourceLocation | undefined>()
  readonly #storages: Storages
  #sealed = false

  /** @param storage of stores that say nothing. */
  constructor(topology: string, storage: Storage = 'disk') {
    this.topology = topology
    this.#storages = new Storages(storage)
  }

  /** Adds a node under the name, which the caller has from `pathName`, `givenName` or a store or topic. */
  add(body: NodeBody, name: string, site: SourceLocation | undefined): NodeId {
    if (this.#sealed) {
      throw invalid(
        `${name} was called after the topology ${this.topology} was built`,
        'Call operators only inside the function given to defineTopology, and not in a callback or after an await.',
        name,
        site,
      )
    }
    const id = this.#nodes.length
    const where = site === undefined ? {} : { where: Object.freeze(site) }
    this.#nodes.push(
      Object.freeze({ ...body, parents: Object.freeze(body.parents), id, name, ...where }) as TopologyNode,
    )
    return id
  }

  /** The nodes so far, by id. */
  get nodes(): readonly TopologyNode[] {
    return this.#nodes
  }

  nameOf(id: NodeId): string {
    return this.#nodes[id]?.name ?? ''
  }

  /** A display name made of the calls that led here: `lines.flatMapValues.filter`; a second one of its kind ends in `~2`. */
  pathName(parent: NodeId, call: string): string {
    const path = `${this.nameOf(parent)}.${call}`
    let name = path
    for (let nth = 2; this.#names.has(name); nth++) name = `${path}~${nth}`
    this.#names.set(name, undefined)
    return name
  }

  /** A display name the user gave: unique, as rates and errors are told apart by it. */
  givenName(name: unknown, call: string, site: SourceLocation | undefined): string {
    const legal = requireName(name, 'display name', call, site)
    claim(this.#names, legal, 'a processor', site)
    return legal
  }

  /** Checks a store's name and takes it. */
  claimStore(name: unknown, call: string, site: SourceLocation | undefined): string {
    const legal = requireName(name, 'store name', call, site)
    claim(this.#stores, legal, 'a store', site)
    return legal
  }

  /** A store spec as every operator makes it. @throws StreamError INVALID_TOPOLOGY when its storage is none. */
  storeSpec(spec: Omit<StoreSpec, 'storage'>, storage: Storage | undefined): StoreSpec {
    return Object.freeze({ ...spec, storage: this.#storages.of(storage, spec.name, callSite()) })
  }

  /** The store of a definition that several processors are given: made for the first of them. */
  shared(definition: object, make: () => StoreSpec): StoreSpec {
    const store = this.#shared.get(definition) ?? make()
    this.#shared.set(definition, store)
    return store
  }

  /** Checks the base name of a repartition topic and takes it. */
  claimRepartition(name: unknown, call: string, site: SourceLocation | undefined): string {
    const legal = requireName(name, 'repartition name', call, site)
    claim(this.#repartitions, legal, 'a repartition topic', site)
    return legal
  }

  /** Takes a topic for a global table: it is held once. */
  claimGlobal(topic: string, site: SourceLocation | undefined): void {
    claim(this.#globals, topic, 'the topic of a global table', site)
  }

  /**
   * The source of a topic. A topic is read once: a second call with the same serdes and policy gets the same node.
   * @throws StreamError INVALID_TOPOLOGY where they differ, or a pattern matches the topic.
   */
  source(topic: string, wanted: ReadArguments, site: SourceLocation | undefined): NodeId {
    const known = this.#nodes.find((node) => node.kind === 'source' && node.topic === topic)
    if (known !== undefined) return this.#readAgain(known as SourceNode, `topic ${topic}`, wanted, site)
    const pattern = this.#nodes.find((node) => node.kind === 'pattern-source' && node.pattern.test(topic))
    if (pattern !== undefined) throw overlap(topic, pattern.name, pattern.where, site)
    return this.add({ kind: 'source', parents: [], topic, ...wanted }, topic, site)
  }

  /** As `source`, of all topics that a pattern matches. @throws StreamError INVALID_TOPOLOGY as there. */
  patternSource({ name, pattern }: Pattern, wanted: ReadArguments, site: SourceLocation | undefined): NodeId {
    const known = this.#nodes.find((node) => node.kind === 'pattern-source' && node.name === name)
    if (known !== undefined) return this.#readAgain(known as PatternSourceNode, `pattern ${name}`, wanted, site)
    const source = this.#nodes.find((node) => node.kind === 'source' && pattern.test(node.topic))
    if (source !== undefined) throw overlap(source.name, name, source.where, site)
    return this.add({ kind: 'pattern-source', parents: [], pattern, ...wanted }, name, site)
  }

  #readAgain(
    known: SourceNode | PatternSourceNode,
    what: string,
    wanted: ReadArguments,
    site: SourceLocation | undefined,
  ): NodeId {
    const start = agreed(known.startFrom, wanted.startFrom)
    const differs =
      known.key !== wanted.key || known.value !== wanted.value
        ? 'serdes'
        : !samePolicy(known.onDeserializationError, wanted.onDeserializationError)
          ? 'onDeserializationError'
          : known.timestamp !== wanted.timestamp || known.onInvalidTimestamp !== wanted.onInvalidTimestamp
            ? 'timestamps'
            : start === undefined
              ? 'startFrom'
              : undefined
    if (start !== undefined && differs === undefined) {
      if (start.startFrom !== undefined) this.#nodes[known.id] = Object.freeze({ ...known, startFrom: start.startFrom })
      return known.id
    }
    throw invalid(
      `${what} is read twice with different ${differs}: ${placesOf(known.where, site)}`,
      differs === 'serdes'
        ? 'Declare the topic once with topic(...) and pass that same value to both calls.'
        : `Give both calls the same ${differs === 'timestamps' ? 'timestamp and onInvalidTimestamp' : differs}.`,
      known.name,
      site,
    )
  }

  /** No node comes in after this. */
  seal(site: SourceLocation | undefined, options: Pick<Topology, 'idleCloseMs' | 'maxTaskIdleMs'> = {}): Topology {
    this.#sealed = true
    if (!this.#nodes.some((node) => node.kind === 'source' || node.kind === 'pattern-source')) {
      const isGlobal = this.#nodes.some((node) => node.kind === 'global-table')
      throw invalid(
        isGlobal
          ? `the topology ${this.topology} reads topics of global tables alone, and these drive nothing`
          : `the topology ${this.topology} reads no topic`,
        'Start with b.stream(topic) or b.table(topic, { store }).',
        this.topology,
        site,
      )
    }
    return Object.freeze({ kind: 'topology', name: this.topology, nodes: Object.freeze(this.#nodes), ...options })
  }
}

function claim(
  taken: Map<string, SourceLocation | undefined>,
  name: string,
  what: string,
  site: SourceLocation | undefined,
): void {
  if (taken.has(name)) {
    throw invalid(
      `the name ${name} is given to ${what} twice: ${placesOf(taken.get(name), site)}`,
      'Give one of them another name.',
      name,
      site,
    )
  }
  taken.set(name, site)
}

type Pattern = Pick<TopicPattern<unknown, unknown>, 'name' | 'pattern'>

function overlap(
  topic: string,
  pattern: string,
  first: SourceLocation | undefined,
  site: SourceLocation | undefined,
): StreamError {
  return invalid(
    `topic ${topic} is read by its name, and the pattern ${pattern} matches it: ${placesOf(first, site)}`,
    'Make the pattern narrower, or read the topic by the pattern alone.',
    pattern,
    site,
  )
}

function samePolicy(a: DeserializationPolicy, b: DeserializationPolicy): boolean {
  return a.policy === b.policy && (a.policy === 'fail' || b.policy === 'fail' || a.topic === b.topic)
}
