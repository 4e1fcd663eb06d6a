/** Holds the updates of a table back and passes on the last one of each key (Kafka Streams: KTableSuppressProcessorSupplier). */

import { StreamError } from '../common/errors.ts'
import type { Windowed } from '../common/windows.ts'
import type { BufferStore } from '../state/store.ts'
import type { OnIdle } from './idle.ts'
import type { ProcessorContext, Update, View } from './processor.ts'

export interface SuppressLimits {
  /** `window-close`: the keys are windowed, and an update counts from the end of its window; it is final, so deletes are not passed on. */
  readonly until: 'window-close' | 'time-limit'
  /** ms of stream time that an update is held back: after its window's end, or after the update that its key came in with. */
  readonly limitMs: number
  readonly maxRecords: number
  readonly maxBytes: number
  /** The oldest update is passed on early, or the application stops. */
  readonly whenFull: 'emit' | 'stop'
}

export interface SuppressArgs<K, V> extends SuppressLimits {
  readonly buffer: BufferStore<K, V>
  readonly onIdle?: OnIdle | undefined
}

/**
 * An update first moves stream time, then takes its key's place in the queue or the one that the key has; then all that stream time
 * is past the limit of goes on, in the order of (time, key bytes), with the timestamp and headers of the last update. The old
 * value that goes along is the one before the key was held back: what came and went meanwhile nobody has seen.
 */
export function suppress<K, V>(args: SuppressArgs<K, V>, ctx: ProcessorContext, next: Update<K, V>): Update<K, V> {
  const { buffer, limitMs, maxRecords, maxBytes } = args
  const isFinal = args.until === 'window-close'
  const emitsEarly = args.whenFull === 'emit'
  const { forwarded } = ctx
  const release = (): void => {
    const { key, value, prior, timestamp, headers } = buffer.shift()
    if (value === null && isFinal) return
    forwarded.count++
    next(key, value, prior, timestamp, headers)
  }
  args.onIdle?.(() => {
    if (buffer.size === 0) return false
    while (buffer.size > 0) {
      const due = buffer.firstTime + limitMs
      if (due > buffer.streamTime) buffer.streamTime = due
      release()
    }
    return true
  })
  return (key, value, old, timestamp, headers) => {
    if (timestamp > buffer.streamTime) buffer.streamTime = timestamp
    const time = isFinal ? (key as Windowed<unknown>).end : timestamp
    buffer.put(key, value, old, time, timestamp, headers)
    const dueAt = buffer.streamTime - limitMs
    while (buffer.firstTime <= dueAt) release()
    while (buffer.size > maxRecords || buffer.bytes > maxBytes) {
      if (!emitsEarly) throw full(ctx.node, args)
      release()
    }
  }
}

/** While an update is held back, readers see the row that was there before. */
export function suppressedView<K, V>(buffer: BufferStore<K, V>, view: View<K, V>): View<K, V> {
  return (key) => {
    const held = buffer.get(key)
    if (held === undefined) return view(key)
    const { prior } = held.value
    // When the row before was written is not known here (Kafka Streams: RecordQueue.UNKNOWN).
    return prior === null ? undefined : { value: prior, timestamp: -1 }
  }
}

function full(node: string, { maxRecords, maxBytes, buffer }: SuppressArgs<unknown, unknown>): StreamError {
  const what =
    buffer.size > maxRecords
      ? `${buffer.size} updates, and may hold ${maxRecords}`
      : `${buffer.bytes} bytes, and may hold ${maxBytes}`
  return new StreamError('PROCESSING', `${node}: the buffer holds ${what}`, {
    where: { node },
    hint: "Give suppress a larger maxRecords or maxBytes, or 'unbounded'; untilTimeLimit can also pass updates on early: whenFull: 'emit'.",
  })
}
