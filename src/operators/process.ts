/** A processor of the user's: a function of each record, and functions of time (Kafka Streams: Processor, FixedKeyProcessor). */

import type { Headers } from '../common/record.ts'
import { Moment } from './moment.ts'
import { ProcessingContext, type Punctuated, type Surroundings, schedulePunctuators } from './processing-context.ts'
import type { Process, ProcessorContext } from './processor.ts'

export interface ProcessArgs<K, V> extends Surroundings, Punctuated {
  readonly on: (record: ProcessorRecord<K, V>, context: unknown) => unknown
  /** What is forwarded has the key of the record at hand. */
  readonly fixedKey: boolean
}

interface ProcessorRecord<K, V> {
  readonly key: K
  readonly value: V
  readonly timestamp: number
  readonly headers: Headers
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
  const context = new ProcessingContext(args, moment, args.fixedKey ? underItsKey(moment, forward) : forward)
  schedulePunctuators(args, moment, context)
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
