/**
 * Membership in a group by the classic, eager protocol. One loop joins, syncs and calls back; one timer sends
 * heartbeats, also while a callback runs. Callbacks never overlap, and none comes after close.
 */

import { StreamError } from '../../common/errors.ts'
import { noAssignment } from '../no-assignment.ts'
import type { GroupMember, GroupMetadata, MemberAssignment, MemberOptions } from '../port.ts'
import { type Backoff, backoffMs, pause } from './backoff.ts'
import type { Cluster } from './cluster.ts'
import type { NodeRequest } from './connections.ts'
import {
  decodeAssignment,
  encodeSubscription,
  heartbeatRequest,
  type JoinResponse,
  joinRequest,
  leaveRequest,
  readError,
  readJoin,
  readSync,
  syncRequest,
} from './member-protocol.ts'
import { protocolFailure } from './protocol-errors.ts'

/** What of a cluster membership needs. */
export type MemberConnections = Pick<
  Cluster,
  'coordinator' | 'forgetCoordinator' | 'closeLane' | 'describe' | 'partitionCount'
>

export interface MemberSettings {
  /** 0 to 1, for jitter. Default Math.random. */
  readonly random?: () => number
  /** ms between the leader's looks at the partition counts. Default 300000. */
  readonly metadataMaxAgeMs?: number
}

/** What a code of the group coordinator means for a member. */
const code = {
  none: 0,
  loading: 14,
  notAvailable: 15,
  notCoordinator: 16,
  illegalGeneration: 22,
  unknownMember: 25,
  rebalance: 27,
  memberIdRequired: 79,
} as const

const coordinatorMoved: readonly number[] = [code.loading, code.notAvailable, code.notCoordinator]

/** Why a generation ended. */
type End = 'rejoin' | 'lost' | 'closed' | StreamError

interface Generation {
  readonly group: GroupMetadata
  readonly assignment: MemberAssignment
  /** Of the subscribed topics when the assignment was made; null for a member that does not lead. */
  readonly counts: ReadonlyMap<string, number | undefined> | null
}

let lanes = 0

/** Joins and stays in the group until it is closed or `onError`. Resolves before the first assignment. */
export async function joinGroup(
  cluster: MemberConnections,
  options: MemberOptions,
  settings: MemberSettings = {},
): Promise<GroupMember> {
  const member = new KafkaGroupMember(cluster, options, settings)
  await member.start()
  return member
}

class KafkaGroupMember implements GroupMember {
  readonly #cluster: MemberConnections
  readonly #options: MemberOptions
  readonly #lane = `group-${++lanes}`
  readonly #backoff: Backoff
  readonly #metadataMaxAgeMs: number
  readonly #sessionTimeoutMs: number
  readonly #heartbeatIntervalMs: number
  readonly #rebalanceTimeoutMs: number
  readonly #closing = new AbortController()
  #memberId = ''
  #rejoinWanted = false
  /** The group may know of a member whose id has not come yet. */
  #isJoining = false
  #endGeneration: ((end: End) => void) | null = null

  constructor(cluster: MemberConnections, options: MemberOptions, settings: MemberSettings) {
    this.#cluster = cluster
    this.#options = options
    this.#backoff = { firstMs: 100, maxMs: 1000, random: settings.random ?? Math.random }
    this.#metadataMaxAgeMs = settings.metadataMaxAgeMs ?? 300_000
    this.#sessionTimeoutMs = options.sessionTimeoutMs ?? 30_000
    this.#heartbeatIntervalMs = options.heartbeatIntervalMs ?? 3_000
    this.#rebalanceTimeoutMs = options.rebalanceTimeoutMs ?? 60_000
  }

  /** @throws StreamError UNREACHABLE, UNAUTHORIZED when the coordinator cannot be found. */
  async start(): Promise<void> {
    await this.#cluster.coordinator('group', this.#options.groupId, this.#lane)
    this.#run().catch((error: unknown) => this.#fail(error))
  }

  rejoin(): void {
    if (this.#endGeneration === null) this.#rejoinWanted = true
    else this.#endGeneration('rejoin')
  }

  async close(): Promise<void> {
    if (this.#isClosed()) return
    this.#closing.abort()
    this.#endGeneration?.('closed')
    await this.#leave()
    await this.#cluster.closeLane(this.#lane)
  }

  #isClosed(): boolean {
    return this.#closing.signal.aborted
  }

  /** A static member keeps its place unless told otherwise: its next start within the session timeout takes it up again. */
  async #leave(): Promise<void> {
    const { groupId, instanceId } = this.#options
    const leaves = this.#options.leaveOnClose ?? instanceId === undefined
    // By its instance id alone it is known from the moment that it asks, and would be waited for until its session is over.
    if (!leaves || (this.#memberId === '' && !(this.#isJoining && instanceId !== undefined))) return
    try {
      // A join may be waiting in the member's own lane.
      const coordinator = await this.#cluster.coordinator('group', groupId)
      await coordinator.send(leaveRequest(groupId, this.#memberId, instanceId ?? null, 5_000))
    } catch {
      // The session timeout does what the goodbye would have done.
    }
  }

  async #fail(error: unknown): Promise<void> {
    if (this.#isClosed()) return
    this.#closing.abort()
    await this.#leave()
    await this.#cluster.closeLane(this.#lane)
    const known = error instanceof Error ? error : new StreamError('INTERNAL', `membership ended: ${String(error)}`)
    this.#options.onError(known)
  }

  async #run(): Promise<void> {
    while (!this.#isClosed()) {
      const generation = await this.#join()
      if (generation === null || this.#isClosed()) return
      const { ended, stop, hasEnded } = this.#watch(generation)
      try {
        await this.#options.onAssign(generation.assignment, generation.group)
        let end = await ended
        if (end === 'rejoin') {
          await this.#options.onRevoke()
          // What was found out while the callback ran: the work is given up already, but the membership may be over.
          end = hasEnded() ?? end
        } else if (end === 'lost') {
          await this.#options.onLost()
        }
        if (end instanceof StreamError) throw end
      } finally {
        stop()
      }
    }
  }

  /** Joins and syncs until there is an assignment; null when closed meanwhile. */
  async #join(): Promise<Generation | null> {
    for (let attempt = 0; !this.#isClosed(); attempt++) {
      try {
        const generation = await this.#joinOnce()
        if (generation !== null) return generation
        // The coordinator wants another join: at once the first time, as after every MEMBER_ID_REQUIRED.
        if (attempt === 0) continue
      } catch (error) {
        if (this.#isClosed()) return null
        if (!(error instanceof StreamError)) throw error
        if (error.code !== 'UNREACHABLE' && error.code !== 'UNKNOWN_OUTCOME') throw error
        this.#cluster.forgetCoordinator('group', this.#options.groupId)
      }
      await pause(backoffMs(attempt, this.#backoff), this.#closing.signal)
    }
    return null
  }

  async #send(request: NodeRequest): Promise<Buffer> {
    const coordinator = await this.#cluster.coordinator('group', this.#options.groupId, this.#lane)
    return coordinator.send(request)
  }

  async #joinOnce(): Promise<Generation | null> {
    const { groupId, topics } = this.#options
    const instanceId = this.#options.instanceId ?? null
    this.#rejoinWanted = false
    const request = joinRequest({
      groupId,
      sessionTimeoutMs: this.#sessionTimeoutMs,
      rebalanceTimeoutMs: this.#rebalanceTimeoutMs,
      memberId: this.#memberId,
      instanceId,
      subscription: encodeSubscription({ topics, userData: this.#options.userData() }),
    })
    this.#isJoining = true
    const answer = await this.#send(request)
    this.#isJoining = false
    const joined = readJoin(answer)
    if (joined.error === code.memberIdRequired) this.#memberId = joined.memberId
    if (!this.#goesOn(joined.error, 'joining')) return null
    this.#memberId = joined.memberId
    if (this.#isClosed()) {
      // The goodbye of close may have been said before this member had its id.
      await this.#leave()
      return null
    }
    const group: GroupMetadata = { groupId, generation: joined.generation, memberId: joined.memberId, instanceId }
    const leads = joined.leader === joined.memberId
    if (leads) await this.#cluster.describe(topics)
    const counts = leads ? this.#partitionCounts() : null
    const assignments = leads ? this.#assign(joined) : new Map<string, MemberAssignment>()
    const synced = readSync(await this.#send(syncRequest(group, assignments, this.#rebalanceTimeoutMs + 10_000)))
    if (!this.#goesOn(synced.error, 'syncing with')) return null
    return { group, assignment: decodeAssignment(synced.assignment), counts }
  }

  /** Every member gets an entry: the coordinator gives nothing to those the leader left out. */
  #assign(joined: JoinResponse): ReadonlyMap<string, MemberAssignment> {
    const chosen = this.#options.assign(joined.members)
    return new Map(joined.members.map(({ memberId }) => [memberId, chosen.get(memberId) ?? noAssignment]))
  }

  /** Whether the answer is a success; else what it says is noted and the join starts again. Throws when it cannot. */
  #goesOn(error: number, doing: string): boolean {
    if (error === code.none) return true
    if (coordinatorMoved.includes(error)) this.#cluster.forgetCoordinator('group', this.#options.groupId)
    else if (error === code.unknownMember) this.#memberId = ''
    else if (error !== code.rebalance && error !== code.memberIdRequired && error !== code.illegalGeneration) {
      throw this.#failure(error, doing)
    }
    return false
  }

  #failure(error: number, doing: string): StreamError {
    const { groupId, instanceId } = this.#options
    const who = instanceId === undefined ? '' : ` as '${instanceId}'`
    return protocolFailure(error, `${doing} group '${groupId}'${who}`)
  }

  #partitionCounts(): ReadonlyMap<string, number | undefined> {
    return new Map(this.#options.topics.map((topic) => [topic, this.#cluster.partitionCount(topic)]))
  }

  /** Heartbeats from here until `stop`; `ended` tells the first reason to end, `hasEnded` the gravest so far. */
  #watch(generation: Generation): { ended: Promise<End>; hasEnded: () => End | null; stop: () => void } {
    let gravest: End | null = null
    let resolve: (end: End) => void = () => {}
    const ended = new Promise<End>((done) => {
      resolve = done
    })
    const end = (reason: End): void => {
      if (gravest === null || gravest === 'rejoin' || reason instanceof StreamError) gravest = reason
      resolve(reason)
    }
    this.#endGeneration = end
    if (this.#rejoinWanted) end('rejoin')
    let stopped = false
    let timer: NodeJS.Timeout
    let answeredAt = performance.now()
    let lookedAt = performance.now()
    const beat = async (): Promise<void> => {
      const failure = await this.#heartbeat(generation.group)
      if (stopped) return
      if (failure === 'silence') {
        if (performance.now() - answeredAt >= this.#sessionTimeoutMs) end('lost')
      } else {
        answeredAt = performance.now()
        if (failure !== null) end(failure)
      }
      if (generation.counts !== null) {
        if (performance.now() - lookedAt >= this.#metadataMaxAgeMs) {
          lookedAt = performance.now()
          await this.#cluster.describe(this.#options.topics).catch(() => {})
        }
        if (this.#countsChanged(generation.counts)) end('rejoin')
      }
      if (!stopped) schedule()
    }
    const schedule = (): void => {
      timer = setTimeout(() => {
        beat().catch((error: unknown) => end(new StreamError('INTERNAL', 'a heartbeat failed', { cause: error })))
      }, this.#heartbeatIntervalMs)
    }
    schedule()
    const stop = (): void => {
      stopped = true
      clearTimeout(timer)
      if (this.#endGeneration === end) this.#endGeneration = null
    }
    return { ended, hasEnded: () => gravest, stop }
  }

  #countsChanged(counts: ReadonlyMap<string, number | undefined>): boolean {
    for (const [topic, before] of counts) {
      const now = this.#cluster.partitionCount(topic)
      if (before !== undefined && now !== undefined && now !== before) return true
    }
    return false
  }

  /** null: all is well. `silence`: the coordinator was not reached. */
  async #heartbeat(group: GroupMetadata): Promise<End | 'silence' | null> {
    let error: number
    try {
      error = readError(await this.#send(heartbeatRequest(group, this.#sessionTimeoutMs)))
    } catch (thrown) {
      if (thrown instanceof StreamError && thrown.code === 'UNAUTHORIZED') return thrown
      this.#cluster.forgetCoordinator('group', group.groupId)
      return 'silence'
    }
    if (error === code.none) return null
    if (error === code.rebalance) return 'rejoin'
    if (coordinatorMoved.includes(error)) {
      this.#cluster.forgetCoordinator('group', group.groupId)
      return 'silence'
    }
    if (error === code.unknownMember) this.#memberId = ''
    if (error === code.unknownMember || error === code.illegalGeneration) return 'lost'
    return this.#failure(error, 'staying in')
  }
}
