/**
 * Holds the records of a stream back until stream time is the grace past them, so that a table they look up as of their own time has had
 * that long to hear of late updates (Kafka Streams: KStreamKTableJoinProcessor with a grace period, KIP-923).
 */

import type { Headed } from '../state/headed-codec.ts'
import type { HeldRow, JoinBuffer } from '../state/store.ts'
import type { OnIdle } from './idle.ts'
import type { Process } from './processor.ts'

export interface WaitForGraceArgs<K, V> {
  readonly buffer: JoinBuffer<K, Headed<V>>
  readonly graceMs: number
  readonly onIdle?: OnIdle | undefined
}

/**
 * Records go on in the order of (timestamp, key bytes, arrival), with their own timestamp and headers. One that is older than the grace
 * when it comes goes on at once, and so does one without a key or value, which waits for nothing and moves no stream time.
 */
export function waitForGrace<K, V>(
  { buffer, graceMs, onIdle }: WaitForGraceArgs<K, V>,
  next: Process<K | null, V | null>,
): Process<K | null, V | null> {
  const release = (until: number): void => {
    for (let row = buffer.firstHeld; row !== undefined && row.timestamp <= until; row = buffer.firstHeld) {
      passOn(buffer, row, next)
    }
  }
  onIdle?.(() => {
    const last = buffer.lastHeld
    if (last === undefined) return false
    buffer.streamTime = last.timestamp + graceMs
    release(last.timestamp)
    return true
  })
  return (key, value, timestamp, headers) => {
    if (key === null || value === null || timestamp < buffer.streamTime - graceMs) {
      next(key, value, timestamp, headers)
      return
    }
    if (timestamp > buffer.streamTime) buffer.streamTime = timestamp
    buffer.put(key, { headers, value }, timestamp, true)
    release(buffer.streamTime - graceMs)
  }
}

function passOn<K, V>(buffer: JoinBuffer<K, Headed<V>>, row: HeldRow, next: Process<K | null, V | null>): void {
  const key = buffer.keyOf(row)
  const { headers, value } = buffer.valueOf(row)
  const { timestamp } = row
  buffer.remove(row)
  next(key, value, timestamp, headers)
}
