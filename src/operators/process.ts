/** A processor of the user's: a function of each record, and functions of time (Kafka Streams: Processor, FixedKeyProcessor). */

import { type Headers, noHeaders } from '../common/record.ts'
import type { RecordContext } from '../common/record-context.ts'
import type { Clock } from '../common/time.ts'
import type { KeyValueStore } from '../state/store.ts'
import { Moment } from './moment.ts'
import type { CurrentRecord, Process, ProcessorContext, View } from './processor.ts'
import { processorStore, processorTable } from './processor-store.ts'
import type { PunctuationType, Schedule } from './punctuation.ts'

export interface ProcessArgs<K, V> extends Surroundings {
  readonly on: (record: ProcessorRecord<K, V>, context: unknown) => unknown
  readonly punctuators: readonly {
    readonly type: PunctuationType
    readonly everyMs: number
    readonly punctuate: (timestamp: number, context: unknown) => unknown
  }[]
  /** What is forwarded has the key of the record at hand. */
  readonly fixedKey: boolean
  readonly schedule: Schedule
}

interface ProcessorRecord<K, V> {
  readonly key: K
  readonly value: V
  readonly timestamp: number
  readonly headers: Headers
}

interface Surroundings {
  readonly stores: Readonly<Record<string, KeyValueStore<unknown, unknown>>>
  readonly tables: Readonly<Record<string, View>>
  readonly app: string
  readonly task: string
  readonly current: CurrentRecord
  readonly streamTime: () => number
  readonly clock: Clock
}

interface ForwardOptions {
  readonly timestamp?: number
  readonly headers?: Headers
}

/** Null keys and values come as they are. A punctuation has no record: its time is the timestamp of what it stores and forwards. */
export function process<K, V>(args: ProcessArgs<K, V>, ctx: ProcessorContext, next: Process): Process<K, V> {
  const { on } = args
  const moment = new Moment(ctx.node, args.current)
  const forward = forwarding(moment, ctx, next)
  const context = new Context(args, moment, args.fixedKey ? underItsKey(moment, forward) : forward)
  for (const { type, everyMs, punctuate } of args.punctuators) {
    args.schedule(type, everyMs, (time) => {
      moment.open(false, null, time, noHeaders)
      let result: unknown
      try {
        result = punctuate(time, context)
      } catch (thrown) {
        throw moment.failed(thrown)
      }
      moment.close(result)
    })
  }
  return (key, value, timestamp, headers) => {
    moment.open(true, key, timestamp, headers)
    let result: unknown
    try {
      result = on({ key, value, timestamp, headers }, context)
    } catch (thrown) {
      throw moment.failed(thrown)
    }
    moment.close(result)
  }
}

type Forward = (key: unknown, value: unknown, options?: ForwardOptions) => void

function forwarding(moment: Moment, { forwarded }: ProcessorContext, next: Process): Forward {
  return (key, value, options) => {
    moment.check()
    if (value === undefined) throw new TypeError('forward was given undefined as the value; null is a tombstone')
    let { timestamp, headers } = moment
    if (options !== undefined) {
      if (options.timestamp !== undefined) timestamp = checkedTimestamp(options.timestamp)
      if (options.headers !== undefined && options.headers !== headers) headers = checkedHeaders(options.headers)
    }
    forwarded.count++
    try {
      next(key, value, timestamp, headers)
    } catch (thrown) {
      throw moment.failedDownstream(thrown)
    }
  }
}

function underItsKey(moment: Moment, forward: Forward): (value: unknown, options?: ForwardOptions) => void {
  return (value, options) => {
    if (!moment.hasRecord) {
      throw new TypeError(
        'processValues forwards under the key of its record, and in a punctuation there is none; use process',
      )
    }
    forward(moment.key, value, options)
  }
}

function checkedTimestamp(timestamp: unknown): number {
  if (Number.isSafeInteger(timestamp) && (timestamp as number) >= 0) return timestamp as number
  throw new TypeError(`forward was given the timestamp ${String(timestamp)}; it takes whole ms since the epoch`)
}

function checkedHeaders(headers: Headers): Headers {
  const legal =
    Array.isArray(headers) &&
    headers.every(
      (header) => typeof header?.key === 'string' && (header.value === null || Buffer.isBuffer(header.value)),
    )
  if (legal) return headers
  throw new TypeError('forward was given headers that are not a list of { key: string, value: Buffer | null }')
}

/** What the user's functions see. One object, whatever the record: it shows the moment. */
class Context implements RecordContext {
  readonly stores: Readonly<Record<string, unknown>>
  readonly tables: Readonly<Record<string, unknown>>
  readonly applicationId: string
  readonly taskId: string
  /** Own properties, so that they can be taken out of the context. */
  readonly forward: unknown
  readonly #moment: Moment
  readonly #surroundings: Surroundings

  constructor(surroundings: Surroundings, moment: Moment, forward: unknown) {
    const { stores, tables, app, task } = surroundings
    const each = <T, R>(given: Readonly<Record<string, T>>, make: (one: T, name: string, moment: Moment) => R) =>
      Object.freeze(Object.fromEntries(Object.entries(given).map(([name, one]) => [name, make(one, name, moment)])))
    this.stores = each(stores, processorStore)
    this.tables = each(tables, processorTable)
    this.applicationId = app
    this.taskId = task
    this.forward = forward
    this.#moment = moment
    this.#surroundings = surroundings
    Object.freeze(this)
  }

  get topic(): string | null {
    return this.#moment.topic
  }

  get partition(): number {
    return this.#moment.partition
  }

  get offset(): number {
    return this.#moment.offset
  }

  get timestamp(): number {
    return this.#moment.timestamp
  }

  get headers(): Headers {
    return this.#moment.headers
  }

  get currentStreamTimeMs(): number {
    return this.#surroundings.streamTime()
  }

  get currentSystemTimeMs(): number {
    return this.#surroundings.clock()
  }
}
