/** Idempotent producer without transactions: a failure is final, because only a new producer id tells old records from new ones. */

import { StreamError } from '../../common/errors.ts'
import type { Output, PlainProducer } from '../port.ts'
import { Accumulator } from './accumulator.ts'
import { backoffMs, pause } from './backoff.ts'
import type { ClusterConnections } from './connections.ts'
import { defaultMaxBatchBytes, type ProducerSettings } from './producer.ts'
import { initRequest, type ProducerIdentity, readInit } from './producer-protocol.ts'
import { protocolError, protocolFailure } from './protocol-errors.ts'
import { Sender } from './sender.ts'

let lanes = 0
const initDeadlineMs = 30_000
const deliveryTimeoutMs = 120_000

/** @throws StreamError UNREACHABLE, UNAUTHORIZED. */
export async function openPlainProducer(
  connections: ClusterConnections,
  settings: ProducerSettings = {},
): Promise<PlainProducer> {
  const backoff = { firstMs: 20, maxMs: 1000, ...(settings.random === undefined ? {} : { random: settings.random }) }
  const deadline = performance.now() + initDeadlineMs
  for (let attempt = 0; ; attempt++) {
    const connection = await connections.any()
    const { error, ...identity } = readInit(await connection.send(initRequest(null, 0)))
    if (error === 0) {
      const lane = `produce-${++lanes}`
      const sender = new Sender(connections, identity satisfies ProducerIdentity, {
        lane,
        transactionalId: null,
        compression: settings.compression ?? 'none',
        requestTimeoutMs: settings.requestTimeoutMs ?? 30_000,
        deliveryTimeoutMs,
        backoff,
      })
      return new KafkaPlainProducer(connections, sender, lane, settings.maxBatchBytes ?? defaultMaxBatchBytes)
    }
    const wait = backoffMs(attempt, backoff)
    if (!protocolError(error).retriable || performance.now() + wait > deadline) {
      throw protocolFailure(error, 'asking for a producer id')
    }
    await pause(wait)
  }
}

class KafkaPlainProducer implements PlainProducer {
  readonly #connections: ClusterConnections
  readonly #sender: Sender
  readonly #accumulator: Accumulator
  readonly #lane: string

  constructor(connections: ClusterConnections, sender: Sender, lane: string, maxBatchBytes: number) {
    this.#connections = connections
    this.#sender = sender
    this.#lane = lane
    this.#accumulator = new Accumulator(maxBatchBytes, (buffer) => {
      sender.enqueue(buffer, buffer.builder.take())
      sender.admit([buffer.name])
    })
  }

  output(topic: string): Output {
    return this.#accumulator.output(topic)
  }

  async flush(): Promise<ReadonlyMap<string, number>> {
    const filled = this.#accumulator.take()
    for (const { buffer, batches } of filled) this.#sender.enqueue(buffer, batches)
    this.#sender.admit(filled.map(({ buffer }) => buffer.name))
    const ends = await this.#sender.flushed()
    this.#sender.endTransaction()
    return ends
  }

  async close(): Promise<void> {
    this.#sender.fail(new StreamError('INTERNAL', 'the producer is closed'))
    this.#accumulator.clear()
    await this.#connections.closeLane(this.#lane)
  }
}
