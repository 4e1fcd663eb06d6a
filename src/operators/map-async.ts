/** Turns each value into what a promise gives, several at a time; results leave in the order in which their records came. */

import type { Clock } from '../common/time.ts'
import { type Call, CallStage, type Calls } from './calls.ts'
import type { CurrentRecord, Process, ProcessorContext } from './processor.ts'

export interface MapAsyncArgs<K, V, R> {
  readonly mapper: (value: V, key: K, call: Call) => PromiseLike<R> | R
  readonly concurrency: number
  readonly timeoutMs: number
  readonly current: CurrentRecord
  readonly clock: Clock
  readonly calls: Calls
}

export function mapAsync<K, V, R>(
  args: MapAsyncArgs<K, V, R>,
  ctx: ProcessorContext,
  next: Process<K, R>,
): Process<K, V> {
  const { calls } = args
  const stage = new CallStage<K, V, R>({ ...args, node: ctx.node, ready: () => calls.ready(), next })
  calls.add(stage as CallStage)
  return (key, value, timestamp, headers) => {
    stage.add(key, value, timestamp, headers)
  }
}
