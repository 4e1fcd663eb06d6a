/** A cluster of one broker that answers as a test says: by default every request succeeds, and what was asked is kept. */

import type { Cluster } from '../../src/broker/kafka/cluster.ts'
import type { NodeRequest } from '../../src/broker/kafka/connections.ts'
import { Reader, Writer } from '../../src/broker/kafka/wire.ts'
import { StreamError } from '../../src/common/errors.ts'

export type Answer = Buffer | StreamError | Promise<Buffer | StreamError>
export type Handler = (request: NodeRequest) => Answer

export class ScriptedCluster implements Cluster {
  readonly closed = new AbortController().signal
  readonly address = 'scripted:1'
  readonly asked: NodeRequest[] = []
  readonly #handlers = new Map<string, Handler>()
  readonly #once = new Map<string, Handler[]>()
  readonly partitions = new Map<string, number>()
  readonly closedLanes: string[] = []
  forgotten = 0

  /** Answers every such request from here on. */
  on(apiName: string, handler: Handler): void {
    this.#handlers.set(apiName, handler)
  }

  /** Answers the next such request; several are used up in order. */
  once(apiName: string, handler: Handler): void {
    this.#once.set(apiName, [...(this.#once.get(apiName) ?? []), handler])
  }

  names(): readonly string[] {
    return this.asked.map((request) => request.apiName)
  }

  requests(apiName: string): readonly NodeRequest[] {
    return this.asked.filter((request) => request.apiName === apiName)
  }

  node(): Promise<{ send(request: NodeRequest): Promise<Buffer> }> {
    return Promise.resolve({
      send: async (request) => {
        this.asked.push(request)
        const handler = this.#once.get(request.apiName)?.shift() ?? this.#handlers.get(request.apiName)
        if (handler === undefined) throw new Error(`no answer to ${request.apiName}`)
        const answer = await handler(request)
        if (answer instanceof StreamError) throw answer
        return answer
      },
    })
  }

  any = (): ReturnType<Cluster['any']> => this.node()
  coordinator = (): ReturnType<Cluster['coordinator']> => this.node()

  forgetCoordinator(): void {
    this.forgotten++
  }

  async closeLane(lane: string): Promise<void> {
    this.closedLanes.push(lane)
  }

  leader(topic: string, partition: number): Promise<number> {
    const count = this.partitions.get(topic)
    if (count === undefined || partition < count) return Promise.resolve(1)
    return Promise.reject(new StreamError('TOPIC_MISSING', `${topic}-${partition} does not exist`))
  }

  async refresh(): Promise<void> {}

  async describe(): ReturnType<Cluster['describe']> {
    return { nodes: [], controllerId: 1, topics: [] }
  }

  partitionCount(topic: string): number | undefined {
    return this.partitions.get(topic)
  }

  async close(): Promise<void> {}
}

export const noAnswer = new StreamError('UNKNOWN_OUTCOME', 'no answer')

/** Throttle time and an error: what most requests are answered with. */
export function code(error: number): Buffer {
  return new Writer().int32(0).int16(error).finish()
}

export interface ProducedBatch {
  readonly topic: string
  readonly partition: number
  readonly records: Buffer
  readonly producerId: number
  readonly epoch: number
  readonly baseSequence: number
  readonly count: number
}

/** The batches of a Produce request. */
export function readProduceRequest(request: NodeRequest): readonly ProducedBatch[] {
  const r = new Reader(request.body)
  r.nullableString()
  r.int16()
  r.int32()
  return r
    .array(() => {
      const topic = r.string()
      return r.array((): ProducedBatch => {
        const partition = r.int32()
        const records = r.bytes() as Buffer
        const header = new Reader(records, 43)
        const producerId = header.int64()
        const epoch = header.int16()
        const baseSequence = header.int32()
        return { topic, partition, records, producerId, epoch, baseSequence, count: header.int32() }
      })
    })
    .flat()
}

/** Answers each batch of a Produce request by its error code and base offset. */
export function produced(
  request: NodeRequest,
  answer: (batch: ProducedBatch) => { readonly error?: number; readonly baseOffset?: number },
): Buffer {
  const topics = [...Map.groupBy(readProduceRequest(request), (batch) => batch.topic)]
  return new Writer()
    .array(topics, (w, [topic, batches]) =>
      w.string(topic).array(batches, (v, batch) => {
        const { error = 0, baseOffset = 0 } = answer(batch)
        v.int32(batch.partition).int16(error).int64(baseOffset).int64(-1).int64(0)
        v.array([], () => {}).string(null)
      }),
    )
    .int32(0)
    .finish()
}
