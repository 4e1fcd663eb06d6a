/**
 * The Fetcher of the port on raw Fetch requests: one waits at each leader while the caller works. A partition is asked
 * for again only when what came for it was handed out, so what is buffered is bounded and positions have one owner.
 */

import { messageOf, StreamError } from '../../common/errors.ts'
import { partitionName, type TopicPartition } from '../../common/record.ts'
import type { FetchedPartition, Fetcher, FetcherOptions, PartitionOffset } from '../port.ts'
import type { ClusterConnections } from './connections.ts'
import { type NodeWork, planFetches } from './fetch-plan.ts'
import { fetchRequest, logEdgeRequest, readFetch, readLogEdge } from './fetch-protocol.ts'
import { protocolError, protocolFailure } from './protocol-errors.ts'
import { type Patience, TrackedPartition } from './tracked-partition.ts'

export interface KafkaFetcherOptions extends FetcherOptions, Partial<Patience> {}

const mebibyte = 1024 * 1024
const longPollMs = 500
/**
 * For a request that leaves partitions out which may soon want to be asked for, and would have to wait for its answer:
 * paused ones that hold data, those whose leader is being looked up.
 */
const shortPollMs = 20
/** ms for an answer beyond what the broker was allowed to wait. */
const answerMs = 30_000
/** Bytes one `poll` hands out at most: decoding more would keep the event loop for too long. */
const pollBytes = mebibyte / 2
/** Sockets per broker. The second serves partitions that come while the first waits: after `assign`, or a leader's move. */
const laneCount = 2

let fetchers = 0

export class KafkaFetcher implements Fetcher {
  readonly #cluster: ClusterConnections
  readonly #committed: boolean
  readonly #maxBytes: number
  readonly #maxPartitionBytes: number
  readonly #patience: Patience
  readonly #lanes: readonly string[]
  /** Lanes with a request under way, as `node/lane`. */
  readonly #busyLanes = new Set<string>()
  /** By name, in request order: who got data moves to the end, so that nobody starves behind a size limit (KIP-74). */
  #tracked = new Map<string, TrackedPartition>()
  /** Those with data, in the order of arrival. */
  #ready: TrackedPartition[] = []
  #wake: (() => void) | null = null
  #isWoken = false
  #retry: NodeJS.Timeout | undefined
  #soon: NodeJS.Immediate | undefined
  #closed = false

  constructor(cluster: ClusterConnections, options: KafkaFetcherOptions = {}) {
    this.#cluster = cluster
    this.#committed = options.isolation !== 'uncommitted'
    this.#maxBytes = options.maxBytes ?? 2 * mebibyte
    this.#maxPartitionBytes = options.maxPartitionBytes ?? mebibyte / 2
    this.#patience = {
      unreachableAfterMs: options.unreachableAfterMs ?? 30_000,
      missingAfterMs: options.missingAfterMs ?? 10_000,
    }
    const id = ++fetchers
    this.#lanes = Array.from({ length: laneCount }, (_, i) => `fetch-${id}-${i}`)
  }

  assign(positions: readonly PartitionOffset[]): void {
    const before = this.#tracked
    this.#tracked = new Map()
    this.#ready = []
    for (const position of positions) {
      const name = partitionName(position.topic, position.partition)
      this.#tracked.set(name, new TrackedPartition(position, before.get(name)?.leader ?? null))
    }
    this.#pump()
  }

  pause(partitions: readonly TopicPartition[]): void {
    this.#setPaused(partitions, true)
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.#setPaused(partitions, false)
    this.#wake?.()
  }

  #setPaused(partitions: readonly TopicPartition[], paused: boolean): void {
    for (const { topic, partition } of partitions) {
      const tracked = this.#tracked.get(partitionName(topic, partition))
      if (tracked !== undefined) tracked.paused = paused
    }
    this.#pump()
  }

  async poll(maxWaitMs: number): Promise<readonly FetchedPartition[]> {
    if (this.#closed || this.#wake !== null) {
      const state = this.#closed ? 'is closed' : 'is being polled already'
      throw new StreamError('INTERNAL', `poll of a fetcher that ${state}`)
    }
    const deadline = Date.now() + maxWaitMs
    for (;;) {
      this.#complain(false)
      const fetched = this.#drain()
      this.#pump()
      const woken = this.#isWoken
      this.#isWoken = false
      if (fetched.length > 0 || woken) return fetched
      const left = deadline - Date.now()
      // Damaged data that came first gave nothing, and is known only now.
      this.#complain(left <= 0)
      if (left <= 0 || this.#closed) return []
      await this.#arrival(left)
    }
  }

  wake(): void {
    this.#isWoken = true
    this.#wake?.()
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#retry)
    clearImmediate(this.#soon)
    this.#tracked.clear()
    this.#ready = []
    this.#wake?.()
    await Promise.all(this.#lanes.map((lane) => this.#cluster.closeLane(lane)))
  }

  /** Until something comes that `poll` can act on, or the time is over. */
  #arrival(maxWaitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#wake?.(), maxWaitMs)
      this.#wake = () => {
        clearTimeout(timer)
        this.#wake = null
        resolve()
      }
    })
  }

  /**
   * Throws what is wrong with a partition: at once when it is news, else when `poll` has nothing better to give, so that
   * a caller who goes on polling gets the others' data and does not spin.
   */
  #complain(again: boolean): void {
    const now = Date.now()
    for (const tracked of this.#tracked.values()) {
      if (tracked.told && !again) continue
      const complaint = tracked.complaint(now, this.#patience)
      if (complaint === null) continue
      tracked.told = true
      throw complaint
    }
  }

  #drain(): FetchedPartition[] {
    const fetched: FetchedPartition[] = []
    const kept: TrackedPartition[] = []
    const unfinished: TrackedPartition[] = []
    let left = pollBytes
    for (const tracked of this.#ready) {
      if (tracked.paused || left <= 0) {
        kept.push(tracked)
        continue
      }
      const taken = tracked.take(left)
      if (taken !== null) {
        fetched.push(taken.fetched)
        left -= taken.bytes
      }
      if (tracked.hasData) unfinished.push(tracked)
    }
    this.#ready = [...kept, ...unfinished]
    return fetched
  }

  /** Does whatever can be done now; called after everything that may have changed that. */
  #pump(): void {
    if (this.#closed) return
    clearTimeout(this.#retry)
    const now = Date.now()
    const plan = planFetches(this.#tracked.values(), now)
    for (const tracked of plan.lookUps) void this.#lookUp(tracked)
    // Leaders that are known come at once: their partitions go into the same requests.
    if (plan.lookUps.length > 0) {
      this.#pumpSoon()
      return
    }
    for (const [nodeId, work] of plan.requests) {
      const lane = this.#lanes.find((name) => !this.#busyLanes.has(`${nodeId}/${name}`))
      const maxWaitMs = plan.lookingUp || work.bufferedBytes > 0 ? shortPollMs : longPollMs
      if (lane !== undefined) void this.#fetch(nodeId, lane, work, maxWaitMs)
    }
    if (plan.retryAt < Number.POSITIVE_INFINITY) this.#retry = setTimeout(() => this.#pump(), plan.retryAt - now)
  }

  #pumpSoon(): void {
    this.#soon ??= setImmediate(() => {
      this.#soon = undefined
      this.#pump()
    })
  }

  async #lookUp(tracked: TrackedPartition): Promise<void> {
    const since = Date.now()
    tracked.busy = true
    try {
      if (tracked.stale) await this.#cluster.refresh([tracked.topic])
      tracked.leader = await this.#cluster.leader(tracked.topic, tracked.partition)
      tracked.stale = false
    } catch (error) {
      tracked.fail(failureOf(error), since, Date.now(), this.#patience)
    }
    tracked.busy = false
    this.#wake?.()
    this.#pumpSoon()
  }

  async #fetch(nodeId: number, lane: string, work: NodeWork, maxWaitMs: number): Promise<void> {
    const { wanted } = work
    const since = Date.now()
    const busyLane = `${nodeId}/${lane}`
    this.#busyLanes.add(busyLane)
    for (const tracked of wanted) tracked.busy = true
    const lost: TrackedPartition[] = []
    try {
      const answer = readFetch(await this.#ask(nodeId, lane, work, maxWaitMs))
      if (answer.error !== 0) throw protocolFailure(answer.error, `fetching from broker ${nodeId}`)
      for (const part of answer.partitions) {
        const name = partitionName(part.topic, part.partition)
        const tracked = this.#tracked.get(name)
        // Not those of an earlier assignment: they have objects of their own.
        if (tracked === undefined || !wanted.includes(tracked)) continue
        if (part.error !== 0) {
          if (protocolError(part.error).becomes === 'OFFSET_OUT_OF_RANGE') lost.push(tracked)
          else tracked.fail(protocolFailure(part.error, `fetching ${name}`), since, Date.now(), this.#patience)
        } else if (tracked.accept(part, this.#committed)) {
          this.#ready.push(tracked)
          this.#tracked.delete(name)
          this.#tracked.set(name, tracked)
        }
      }
    } catch (error) {
      for (const tracked of wanted) tracked.fail(failureOf(error), since, Date.now(), this.#patience)
    }
    this.#busyLanes.delete(busyLane)
    for (const tracked of wanted) tracked.busy = false
    for (const tracked of lost) void this.#reportLost(tracked, nodeId)
    this.#wake?.()
    this.#pump()
  }

  async #ask(nodeId: number, lane: string, { wanted, bufferedBytes }: NodeWork, maxWaitMs: number): Promise<Buffer> {
    const connection = await this.#cluster.node(nodeId, lane)
    return connection.send(
      fetchRequest(wanted, {
        committed: this.#committed,
        maxWaitMs,
        // What paused partitions hold must not starve the others: being resumed may depend on them.
        maxBytes: Math.max(this.#maxBytes - bufferedBytes, Math.min(this.#maxBytes, this.#maxPartitionBytes)),
        maxPartitionBytes: this.#maxPartitionBytes,
        timeoutMs: maxWaitMs + answerMs,
      }),
    )
  }

  /** The position is outside the log: the caller is told, with the log's range, and decides. */
  async #reportLost(tracked: TrackedPartition, nodeId: number): Promise<void> {
    tracked.busy = true
    const { topic, partition, position } = tracked
    const edge = async (which: 'start' | 'end'): Promise<number | null> => {
      const connection = await this.#cluster.node(nodeId)
      return readLogEdge(await connection.send(logEdgeRequest(topic, partition, which)))
    }
    const [start, end] = await Promise.all([edge('start'), edge('end')]).catch(() => [null, null])
    const range = start === null || end === null ? '' : `: its log starts at ${start} and ends at ${end}`
    const name = partitionName(topic, partition)
    tracked.fatal = new StreamError('OFFSET_OUT_OF_RANGE', `offset ${position} of ${name} does not exist${range}`, {
      where: { topic, partition, offset: position },
      hint: `Retention, a purge or a re-created topic removed what was to be read, and nothing is skipped silently. To go on without it: kafka-consumer-groups.sh --bootstrap-server <broker> --group <app-id> --topic ${topic} --reset-offsets --to-earliest --execute`,
    })
    tracked.busy = false
    this.#wake?.()
  }
}

function failureOf(error: unknown): StreamError {
  return error instanceof StreamError ? error : new StreamError('INTERNAL', messageOf(error), { cause: error })
}
