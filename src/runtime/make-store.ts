/** Makes a store of what the topology says of it. */

import { slidingStretches, type TimeWindows } from '../common/windows.ts'
import { OverlayBufferStore } from '../state/buffer.ts'
import { OverlayExpiringStore } from '../state/expiring.ts'
import { headedCodec } from '../state/headed-codec.ts'
import { OverlayJoinBuffer } from '../state/join-buffer.ts'
import { OverlayKeyValueStore } from '../state/key-value.ts'
import { OverlaySessionStore } from '../state/session.ts'
import { panesCodec } from '../state/session-codec.ts'
import { slidingClosing } from '../state/sliding.ts'
import type { StateStore } from '../state/store.ts'
import type { TaskState } from '../state/task-state.ts'
import { OverlayVersionedStore } from '../state/versioned.ts'
import { OverlayWindowStore, windowClosing } from '../state/window.ts'
import type { StoreSpec } from '../topology/node.ts'
import type { StateBudget } from './state-budget.ts'

/**
 * @param state what it reads and writes.
 * @param cache limits of its rows in memory.
 */
export function makeStore(
  spec: StoreSpec,
  { bytes, checkpoint }: Pick<TaskState, 'bytes' | 'checkpoint'>,
  cache: StateBudget['cache'],
): StateStore {
  const { name, kind, key, value, windows, session, sliding, join, historyMs, ttlMs, closes = false } = spec
  const options = { name, key, value, bytes, ...cache }
  // What has no offset has no rows; what wipes left was deleted.
  const empty = checkpoint?.offsets[name] === undefined
  if (kind === 'buffer') return new OverlayBufferStore({ ...options, empty, measured: spec.measured === true })
  if (join !== undefined) {
    const { retentionMs = 0, ownTime = false } = spec
    return new OverlayJoinBuffer({ ...options, retentionMs, ownTime, empty })
  }
  if (spec.graceMs !== undefined) {
    return new OverlayJoinBuffer({ ...options, value: headedCodec(value), retentionMs: spec.graceMs + 1, empty })
  }
  if (historyMs !== undefined) return new OverlayVersionedStore({ ...options, historyMs, empty })
  if (ttlMs !== undefined) return new OverlayExpiringStore({ ...options, ttlMs, empty })
  if (windows === undefined && sliding === undefined && session === undefined)
    return new OverlayKeyValueStore({ ...options, empty })
  // No window starts after the stream time that has opened it, and no session ends there.
  const latestStored = empty ? -1 : (checkpoint?.streamTimes[name] ?? Number.POSITIVE_INFINITY)
  if (session !== undefined) return new OverlaySessionStore({ ...options, session, latestStored, closes })
  if (sliding === undefined) {
    const closing = closes ? windowClosing(windows as TimeWindows) : undefined
    return new OverlayWindowStore({ ...options, windows: windows as TimeWindows, latestStored, closing })
  }
  const closing = closes ? slidingClosing(sliding) : undefined
  const stretches = slidingStretches(sliding)
  return new OverlayWindowStore({ ...options, value: panesCodec(value), windows: stretches, latestStored, closing })
}
