/** What the data plane asks of a cluster connection: raw request bodies in, raw response bodies out; types only. */

export interface NodeRequest {
  readonly apiKey: number
  readonly apiVersion: number
  /** For messages: `Fetch`, `OffsetFetch`, ... */
  readonly apiName: string
  /** Whether this version is a flexible one (KIP-482): its headers end in a tagged-field section. */
  readonly flexible: boolean
  /** What follows the request header, and its tagged fields when flexible. */
  readonly body: Buffer
  /** ms to wait for the response; the connection's own default when absent. */
  readonly timeoutMs?: number
}

export interface NodeConnection {
  /**
   * The body of the response: what follows its header, and its tagged fields when flexible.
   * @throws StreamError UNREACHABLE (nothing was sent), UNKNOWN_OUTCOME (sent, and no answer), UNAUTHORIZED.
   */
  send(request: NodeRequest): Promise<Buffer>
}

export type CoordinatorType = 'group' | 'transaction'

export interface ClusterConnections {
  /** Aborted by `close`: nothing is asked again after it. */
  readonly closed: AbortSignal
  /**
   * A connection to a node, opened when there is none. A broker answers the requests of one socket in order, so
   * whoever lets a request wait on the broker (a long poll, a join) names a lane: each lane has a socket of its own.
   */
  node(nodeId: number, lane?: string): Promise<NodeConnection>
  /** Closes the sockets of a lane; requests that wait on them are rejected. */
  closeLane(lane: string): Promise<void>
  coordinator(type: CoordinatorType, key: string, lane?: string): Promise<NodeConnection>
  /** The next `coordinator` call looks it up again. */
  forgetCoordinator(type: CoordinatorType, key: string): void
  /**
   * Node id of the partition's leader by what is known, looked up when nothing is.
   * @throws StreamError TOPIC_MISSING (topic or partition is unknown to the cluster), UNREACHABLE (no leader, or no broker).
   */
  leader(topic: string, partition: number): Promise<number>
  /** Asks the cluster anew; one request when several callers ask at the same time. */
  refresh(topics: readonly string[]): Promise<void>
  /** A connection to any broker that answers. */
  any(): Promise<NodeConnection>
}
