/** Metadata and FindCoordinator: who is in the cluster, who leads what, who coordinates whom. */

import type { CoordinatorType, NodeRequest } from './connections.ts'
import { Reader, Writer } from './wire.ts'

export interface NodeAddress {
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

export interface TopicMetadata {
  readonly name: string
  /** 0, or Kafka's code when the topic cannot be described. */
  readonly error: number
  readonly internal: boolean
  /** Leader's node id by partition; -1 while there is none. */
  readonly leaders: readonly number[]
}

export interface ClusterMetadata {
  readonly nodes: readonly NodeAddress[]
  readonly controllerId: number
  readonly topics: readonly TopicMetadata[]
}

/** Asks for `topics`, all when null. Never creates one. */
export function metadataRequest(topics: readonly string[] | null): NodeRequest {
  const body = new Writer().array(topics, (w, topic) => w.string(topic)).boolean(false)
  return { apiKey: 3, apiVersion: 7, apiName: 'Metadata', flexible: false, body: body.finish() }
}

export function readMetadata(body: Buffer): ClusterMetadata {
  const r = new Reader(body)
  r.int32()
  const nodes = r.array(() => {
    const node = { nodeId: r.int32(), host: r.string(), port: r.int32() }
    r.nullableString()
    return node
  })
  r.nullableString()
  const controllerId = r.int32()
  const topics = r.array((): TopicMetadata => {
    const error = r.int16()
    const name = r.string()
    const internal = r.boolean()
    const leaders: number[] = []
    r.array(() => {
      r.int16()
      const partition = r.int32()
      leaders[partition] = r.int32()
      r.int32()
      for (let i = 0; i < 3; i++) r.array(() => r.int32())
    })
    return { name, error, internal, leaders: Array.from(leaders, (leader) => leader ?? -1) }
  })
  return { nodes, controllerId, topics }
}

export function coordinatorRequest(type: CoordinatorType, key: string): NodeRequest {
  const body = new Writer().string(key).int8(type === 'group' ? 0 : 1)
  return { apiKey: 10, apiVersion: 2, apiName: 'FindCoordinator', flexible: false, body: body.finish() }
}

export interface Coordinator {
  readonly error: number
  readonly message: string | null
  readonly node: NodeAddress
}

export function readCoordinator(body: Buffer): Coordinator {
  const r = new Reader(body)
  r.int32()
  const error = r.int16()
  const message = r.nullableString()
  return { error, message, node: { nodeId: r.int32(), host: r.string(), port: r.int32() } }
}
