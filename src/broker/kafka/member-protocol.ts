/**
 * The classic group protocol on the wire: JoinGroup 5, SyncGroup 3, Heartbeat 3, LeaveGroup 3, and inside them the
 * bytes of Kafka's ConsumerProtocol (version 0: eager), so that Kafka's own tools can describe the group.
 */

import type { TopicPartition } from '../../common/record.ts'
import { noAssignment } from '../no-assignment.ts'
import type { GroupMetadata, MemberAssignment, MemberDescription } from '../port.ts'
import type { NodeRequest } from './connections.ts'
import { Reader, Writer } from './wire.ts'

export const protocolType = 'consumer'
/** Of the assignor: all members of a group must offer it. */
export const protocolName = 'streamctl'

export interface Subscription {
  readonly topics: readonly string[]
  readonly userData: Buffer
}

export function encodeSubscription({ topics, userData }: Subscription): Buffer {
  return new Writer()
    .int16(0)
    .array(topics, (w, topic) => w.string(topic))
    .bytes(userData)
    .finish()
}

export function decodeSubscription(bytes: Buffer): Subscription {
  const r = new Reader(bytes)
  r.int16()
  const topics = r.array(() => r.string())
  return { topics, userData: r.bytes() ?? Buffer.alloc(0) }
}

export function encodeAssignment({ partitions, userData }: MemberAssignment): Buffer {
  const byTopic = [...Map.groupBy(partitions, (item) => item.topic)]
  return new Writer()
    .int16(0)
    .array(byTopic, (w, [topic, items]) => w.string(topic).array(items, (v, item) => v.int32(item.partition)))
    .bytes(userData.length === 0 ? null : userData)
    .finish()
}

/** Empty bytes are an empty assignment: what a member gets that the leader did not know. */
export function decodeAssignment(bytes: Buffer): MemberAssignment {
  if (bytes.length === 0) return noAssignment
  const r = new Reader(bytes)
  r.int16()
  const partitions = r
    .array(() => {
      const topic = r.string()
      return r.array((): TopicPartition => ({ topic, partition: r.int32() }))
    })
    .flat()
  return { partitions, userData: r.bytes() ?? noAssignment.userData }
}

export interface JoinRequest {
  readonly groupId: string
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly memberId: string
  readonly instanceId: string | null
  readonly subscription: Buffer
}

export function joinRequest(join: JoinRequest): NodeRequest {
  const body = new Writer()
    .string(join.groupId)
    .int32(join.sessionTimeoutMs)
    .int32(join.rebalanceTimeoutMs)
    .string(join.memberId)
    .string(join.instanceId)
    .string(protocolType)
    .array([join.subscription], (w, metadata) => w.string(protocolName).bytes(metadata))
    .finish()
  // The broker answers when every member has joined or the rebalance timeout is over.
  const timeoutMs = join.rebalanceTimeoutMs + 10_000
  return { apiKey: 11, apiVersion: 5, apiName: 'JoinGroup', flexible: false, body, timeoutMs }
}

export interface JoinResponse {
  readonly error: number
  readonly generation: number
  readonly leader: string
  readonly memberId: string
  /** Of the leader only; empty for the others. */
  readonly members: readonly MemberDescription[]
}

export function readJoin(body: Buffer): JoinResponse {
  const r = new Reader(body)
  r.int32()
  const error = r.int16()
  const generation = r.int32()
  r.nullableString()
  const leader = r.string()
  const memberId = r.string()
  const members = r.array((): MemberDescription => {
    const id = r.string()
    r.nullableString()
    return { memberId: id, userData: decodeSubscription(r.bytes() ?? Buffer.alloc(2)).userData }
  })
  return { error, generation, leader, memberId, members }
}

function identity(group: GroupMetadata): Writer {
  return new Writer().string(group.groupId).int32(group.generation).string(group.memberId).string(group.instanceId)
}

/** `assignments` is empty from everyone but the leader. */
export function syncRequest(
  group: GroupMetadata,
  assignments: ReadonlyMap<string, MemberAssignment>,
  timeoutMs: number,
): NodeRequest {
  const body = identity(group)
    .array([...assignments], (w, [memberId, assignment]) => w.string(memberId).bytes(encodeAssignment(assignment)))
    .finish()
  return { apiKey: 14, apiVersion: 3, apiName: 'SyncGroup', flexible: false, body, timeoutMs }
}

export function readSync(body: Buffer): { readonly error: number; readonly assignment: Buffer } {
  const r = new Reader(body)
  r.int32()
  return { error: r.int16(), assignment: r.bytes() ?? Buffer.alloc(0) }
}

export function heartbeatRequest(group: GroupMetadata, timeoutMs: number): NodeRequest {
  const body = identity(group).finish()
  return { apiKey: 12, apiVersion: 3, apiName: 'Heartbeat', flexible: false, body, timeoutMs }
}

/** Also of LeaveGroup: throttle time, then the error. */
export function readError(body: Buffer): number {
  const r = new Reader(body)
  r.int32()
  return r.int16()
}

export function leaveRequest(
  groupId: string,
  memberId: string,
  instanceId: string | null,
  timeoutMs: number,
): NodeRequest {
  const body = new Writer().string(groupId).array([memberId], (w, id) => w.string(id).string(instanceId))
  return { apiKey: 13, apiVersion: 3, apiName: 'LeaveGroup', flexible: false, body: body.finish(), timeoutMs }
}
