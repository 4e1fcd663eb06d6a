/** A table whose rows are made by a function with stores and a context (Kafka Streams: KTableTransformValues, materialized). */

import type { KeyValueStore } from '../state/store.ts'
import { Moment } from './moment.ts'
import { ProcessingContext, type Punctuated, type Surroundings, schedulePunctuators } from './processing-context.ts'
import type { ProcessorContext, Update } from './processor.ts'

export interface TableTransformValuesArgs<K, V, R> extends Surroundings, Punctuated {
  /** A deleted row comes as null; null deletes. */
  readonly transform: (value: V | null, key: K, context: unknown) => R | null
  /** The results. */
  readonly store: KeyValueStore<K, R>
  readonly sendsOld: boolean
}

/** Called once for each update: what was a row's result before is in the store, and is not made again. */
export function tableTransformValues<K, V, R>(
  args: TableTransformValuesArgs<K, V, R>,
  ctx: ProcessorContext,
  next: Update<K, R>,
): Update<K, V> {
  const { transform, store, sendsOld } = args
  const { forwarded } = ctx
  const moment = new Moment(ctx.node, args.current)
  const context = new ProcessingContext(args, moment)
  schedulePunctuators(args, moment, context)
  return (key, value, _old, timestamp, headers) => {
    moment.open(true, key, timestamp, headers)
    let result: R | null
    try {
      result = transform(value, key, context)
      if (result === undefined) throw new TypeError('the function returned undefined; null is no row')
    } catch (thrown) {
      throw moment.failed(thrown)
    }
    moment.close(result)
    const old = sendsOld ? (store.get(key)?.value ?? null) : null
    store.put(key, result, timestamp)
    forwarded.count++
    next(key, result, old, timestamp, headers)
  }
}
