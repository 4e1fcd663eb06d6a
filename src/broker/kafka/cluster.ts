/**
 * The sockets, leaders and coordinators of one cluster. Every address is learned anew after a failure: a node that
 * cannot be reached loses its place as leader and coordinator until the cluster names it again.
 */

import type { ConnectionOptions } from 'node:tls'
import { messageOf, StreamError } from '../../common/errors.ts'
import { partitionName } from '../../common/record.ts'
import { type Backoff, backoffMs, pause } from './backoff.ts'
import { type Address, addressName, parseBootstrap } from './bootstrap.ts'
import type { ClusterConnections, CoordinatorType, NodeConnection } from './connections.ts'
import type { SaslOptions } from './kafkajs.ts'
import { type Link, type LinkOptions, openLink } from './link.ts'
import {
  type ClusterMetadata,
  coordinatorRequest,
  metadataRequest,
  readCoordinator,
  readMetadata,
  type TopicMetadata,
} from './metadata.ts'
import { protocolError, protocolFailure } from './protocol-errors.ts'

export interface ClusterOptions {
  /** `host:port`, several separated by commas or as a list. */
  readonly bootstrap: string | readonly string[]
  /** TLS: `true` for the defaults, or Node's TLS options (ca, cert, key, ...). */
  readonly ssl?: boolean | ConnectionOptions
  readonly sasl?: SaslOptions
  /** Default `streamctl`. */
  readonly clientId?: string
  /** ms to reach a broker, TLS and SASL included. Default 10000. */
  readonly connectTimeoutMs?: number
  /** ms to wait for a response. Default 30000. */
  readonly requestTimeoutMs?: number
  /** Takes the connection layer's warnings; by default they are dropped. */
  readonly log?: (line: string) => void
}

/** ClusterConnections and what topics() needs beyond it. */
export interface Cluster extends ClusterConnections {
  /** First bootstrap address, for people. */
  readonly address: string
  /** Metadata of `topics`, or of all when null; leaders are remembered. */
  describe(topics: readonly string[] | null): Promise<ClusterMetadata>
  /** As last seen: 0 for a topic that does not exist, undefined when nothing is known. Asks nobody. */
  partitionCount(topic: string): number | undefined
  close(): Promise<void>
}

const unknownTopic = 3
const pauses: Backoff = { firstMs: 50, maxMs: 1000 }
const sharedLane = 'shared'

interface Refresh {
  readonly topics: Set<string>
  readonly done: Promise<void>
}

/**
 * Connects to the first bootstrap address that answers.
 * @throws StreamError INVALID_ARGUMENT, UNREACHABLE, UNAUTHORIZED, UNSUPPORTED_VERSION.
 */
export async function connectCluster(options: ClusterOptions): Promise<Cluster> {
  const cluster = new KafkaCluster(options)
  try {
    await cluster.describe([])
  } catch (error) {
    await cluster.close()
    throw explained(error, options)
  }
  return cluster
}

/** A listener with SASL tells its versions to everybody, and closes the connection at the first real request. */
function explained(error: unknown, { sasl }: ClusterOptions): unknown {
  if (!(error instanceof StreamError) || error.code !== 'UNREACHABLE' || error.hint !== undefined) return error
  const what = sasl === undefined ? 'Does the listener ask for SASL? No credentials were given.' : 'Does it run?'
  return new StreamError(error.code, error.message, { cause: error, hint: `The broker stopped answering. ${what}` })
}

class KafkaCluster implements Cluster {
  readonly address: string
  readonly #bootstrap: readonly Address[]
  readonly #link: LinkOptions
  readonly #nodes = new Map<number, Address>()
  readonly #topics = new Map<string, TopicMetadata>()
  readonly #coordinators = new Map<string, number>()
  /** By `nodeId/lane`. */
  readonly #links = new Map<string, Promise<Link>>()
  #seed: Promise<Link> | null = null
  #refreshing: Promise<void> = Promise.resolve()
  #nextRefresh: Refresh | null = null
  readonly #closing = new AbortController()

  constructor(options: ClusterOptions) {
    this.#bootstrap = parseBootstrap(
      typeof options.bootstrap === 'string' ? options.bootstrap : options.bootstrap.join(','),
    )
    this.address = this.#bootstrap.map(addressName).join(',')
    const ssl = options.ssl === true ? {} : options.ssl === false ? undefined : options.ssl
    this.#link = {
      clientId: options.clientId ?? 'streamctl',
      ssl,
      sasl: options.sasl,
      connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
      requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
      log: options.log,
    }
  }

  get closed(): AbortSignal {
    return this.#closing.signal
  }

  node(nodeId: number, lane = sharedLane): Promise<NodeConnection> {
    return this.#open(nodeId, lane)
  }

  async #open(nodeId: number, lane: string): Promise<Link> {
    this.#refuseClosed()
    const key = `${nodeId}/${lane}`
    const known = this.#links.get(key)
    if (known !== undefined) {
      // A failed attempt removes itself, so what is here is open, opening, or has been closed by the other side.
      const link = await known
      if (link.isOpen()) return link
      if (this.#links.get(key) === known) this.#links.delete(key)
      return this.#open(nodeId, lane)
    }
    const address = this.#nodes.get(nodeId)
    if (address === undefined) throw new StreamError('UNREACHABLE', `the cluster does not name a broker ${nodeId}`)
    const opening = this.#adopt(openLink(address, this.#link, this.#link.connectTimeoutMs))
    this.#links.set(key, opening)
    try {
      return await opening
    } catch (error) {
      if (this.#links.get(key) === opening) this.#links.delete(key)
      this.#distrust(nodeId)
      throw error
    }
  }

  /** A link that opens while the cluster is being closed is closed too. */
  async #adopt(opening: Promise<Link>): Promise<Link> {
    const link = await opening
    if (!this.closed.aborted) return link
    link.close()
    throw new StreamError('UNREACHABLE', `the connection to ${this.address} was closed`)
  }

  #refuseClosed(): void {
    if (this.closed.aborted) throw new StreamError('UNREACHABLE', `the connection to ${this.address} was closed`)
  }

  /** What a node that cannot be reached was for is looked up again. */
  #distrust(nodeId: number): void {
    for (const [name, topic] of this.#topics) {
      if (!topic.leaders.includes(nodeId)) continue
      this.#topics.set(name, { ...topic, leaders: topic.leaders.map((leader) => (leader === nodeId ? -1 : leader)) })
    }
    for (const [key, coordinator] of this.#coordinators) {
      if (coordinator === nodeId) this.#coordinators.delete(key)
    }
  }

  async closeLane(lane: string): Promise<void> {
    const suffix = `/${lane}`
    for (const [key, opening] of this.#links) {
      if (!key.endsWith(suffix)) continue
      this.#links.delete(key)
      opening.then(
        (link) => link.close(),
        () => {},
      )
    }
  }

  async any(): Promise<NodeConnection> {
    this.#refuseClosed()
    let failure: unknown
    for (const key of [...this.#links.keys()].filter((name) => name.endsWith(`/${sharedLane}`))) {
      const link = await this.#links.get(key)?.catch(() => null)
      if (link?.isOpen()) return link
    }
    for (const nodeId of this.#nodes.keys()) {
      try {
        return await this.#open(nodeId, sharedLane)
      } catch (error) {
        failure = error
        if (error instanceof StreamError && error.code !== 'UNREACHABLE') throw error
      }
    }
    try {
      return await this.#bootstrapLink()
    } catch (error) {
      throw failure ?? error
    }
  }

  /** The first bootstrap address that answers; the time for connecting is divided among them. */
  async #bootstrapLink(): Promise<Link> {
    const known = await this.#seed?.catch(() => null)
    if (known?.isOpen()) return known
    this.#seed ??= this.#adopt(this.#tryBootstrap())
    const seed = this.#seed
    try {
      const link = await seed
      if (link.isOpen()) return link
    } catch (error) {
      if (this.#seed === seed) this.#seed = null
      throw error
    }
    if (this.#seed === seed) this.#seed = null
    return this.#bootstrapLink()
  }

  async #tryBootstrap(): Promise<Link> {
    const deadline = Date.now() + this.#link.connectTimeoutMs
    const failures: StreamError[] = []
    for (const [index, address] of this.#bootstrap.entries()) {
      const share = Math.max(1, Math.floor((deadline - Date.now()) / (this.#bootstrap.length - index)))
      try {
        return await openLink(address, this.#link, share)
      } catch (error) {
        if (!(error instanceof StreamError) || error.code !== 'UNREACHABLE') throw error
        failures.push(error)
      }
    }
    const [first] = failures
    if (first !== undefined && failures.length === 1) throw first
    throw new StreamError('UNREACHABLE', failures.map((failure) => failure.message).join('; '), {
      cause: first,
      hint: 'Check the addresses, that the brokers run, and that no firewall stands between.',
    })
  }

  async coordinator(type: CoordinatorType, key: string, lane?: string): Promise<NodeConnection> {
    const deadline = Date.now() + this.#link.requestTimeoutMs
    for (let attempt = 0; ; attempt++) {
      let failure: StreamError
      try {
        const nodeId = this.#coordinators.get(`${type}/${key}`) ?? (await this.#findCoordinator(type, key))
        return await this.node(nodeId, lane)
      } catch (error) {
        if (!(error instanceof StreamError) || this.closed.aborted) throw error
        if (error.code !== 'UNREACHABLE' && error.code !== 'UNKNOWN_OUTCOME') throw error
        failure = error
      }
      const wait = backoffMs(attempt, pauses)
      if (Date.now() + wait > deadline) throw unreachable(failure)
      await pause(wait)
    }
  }

  async #findCoordinator(type: CoordinatorType, key: string): Promise<number> {
    const connection = await this.any()
    const { error, message, node } = readCoordinator(await connection.send(coordinatorRequest(type, key)))
    if (error !== 0) throw protocolFailure(error, `looking up the ${type} coordinator of '${key}'`, { detail: message })
    this.#nodes.set(node.nodeId, { host: node.host, port: node.port })
    this.#coordinators.set(`${type}/${key}`, node.nodeId)
    return node.nodeId
  }

  forgetCoordinator(type: CoordinatorType, key: string): void {
    this.#coordinators.delete(`${type}/${key}`)
  }

  async leader(topic: string, partition: number): Promise<number> {
    const known = this.#topics.get(topic)?.leaders[partition]
    if (known !== undefined && known >= 0) return known
    const deadline = Date.now() + this.#link.connectTimeoutMs
    for (let attempt = 0; ; attempt++) {
      await this.refresh([topic])
      const described = this.#topics.get(topic)
      const leader = described?.leaders[partition]
      if (leader !== undefined && leader >= 0) return leader
      const where = { topic, partition }
      if (described === undefined || (described.error !== 0 && !protocolError(described.error).retriable)) {
        throw protocolFailure(described?.error ?? unknownTopic, `looking up topic '${topic}'`, { where })
      }
      if (described.error === unknownTopic || (described.error === 0 && leader === undefined)) {
        const what = described.error === unknownTopic ? `topic '${topic}'` : partitionName(topic, partition)
        throw new StreamError('TOPIC_MISSING', `${what} does not exist`, { where })
      }
      const wait = backoffMs(attempt, pauses)
      if (Date.now() + wait > deadline) {
        throw new StreamError('UNREACHABLE', `${partitionName(topic, partition)} has no leader`, { where })
      }
      await pause(wait)
    }
  }

  partitionCount(topic: string): number | undefined {
    const known = this.#topics.get(topic)
    if (known?.error === unknownTopic) return 0
    return known?.error === 0 ? known.leaders.length : undefined
  }

  refresh(topics: readonly string[]): Promise<void> {
    if (this.#nextRefresh === null) {
      const wanted = new Set<string>()
      const done = this.#refreshing.then(async () => {
        this.#nextRefresh = null
        await this.describe([...wanted])
      })
      this.#nextRefresh = { topics: wanted, done }
      this.#refreshing = done.catch(() => {})
    }
    for (const topic of topics) this.#nextRefresh.topics.add(topic)
    return this.#nextRefresh.done
  }

  async describe(topics: readonly string[] | null): Promise<ClusterMetadata> {
    const metadata = readMetadata(await this.#ask(topics))
    const present = new Set(metadata.nodes.map((node) => node.nodeId))
    for (const nodeId of this.#nodes.keys()) if (!present.has(nodeId)) this.#nodes.delete(nodeId)
    for (const { nodeId, host, port } of metadata.nodes) this.#nodes.set(nodeId, { host, port })
    for (const topic of metadata.topics) this.#topics.set(topic.name, topic)
    return metadata
  }

  /** Metadata changes nothing, so a connection that breaks under the request is a reason to ask another broker. */
  async #ask(topics: readonly string[] | null): Promise<Buffer> {
    for (let attempt = 0; ; attempt++) {
      const connection = await this.any()
      try {
        return await connection.send(metadataRequest(topics))
      } catch (error) {
        if (!(error instanceof StreamError) || attempt === 2) throw unreachable(error)
        if (error.code !== 'UNREACHABLE' && error.code !== 'UNKNOWN_OUTCOME') throw error
      }
    }
  }

  async close(): Promise<void> {
    this.#closing.abort()
    const links = [...this.#links.values()]
    if (this.#seed !== null) links.push(this.#seed)
    this.#links.clear()
    this.#seed = null
    for (const opening of links) {
      opening.then(
        (link) => link.close(),
        () => {},
      )
    }
  }
}

/** A question without an answer, where the question changes nothing: there is nothing to be unsure about. */
export function unreachable(error: unknown): unknown {
  if (!(error instanceof StreamError) || error.code !== 'UNKNOWN_OUTCOME') return error
  return new StreamError('UNREACHABLE', messageOf(error), { cause: error, where: error.where })
}
