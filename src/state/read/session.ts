/**
 * Reads a session store: the sessions of a key that end in one stretch of time are a row. Those that stream time has closed are not shown. Rows
 * lie by their stretch, then by key, so that those of a key are looked up stretch by stretch.
 */

import { type SessionWindows, sessionRetentionMs, sessionStretches, type Windowed } from '../../common/windows.ts'
import { type Codec, rowKey, storePrefix, windowLayout } from '../codec.ts'
import { sessionsCodec } from '../session-codec.ts'
import type { Row, Session } from '../store.ts'
import { firstFound, firstRows, keyReader, type Partitions, rowReader, rows, scanAll } from './partitions.ts'
import type { KeyedRow, QueryableSessionStore } from './queryable.ts'
import { rowsOfKey } from './rows-of-key.ts'
import { checkTime } from './times.ts'
import type { RowRange, StoreView } from './view.ts'

export function queryableSession<K, V>(
  store: Partitions<K>,
  value: Codec<V>,
  session: SessionWindows,
): QueryableSessionStore<K, V> {
  const { name, key: keyCodec } = store
  const layout = windowLayout(storePrefix(name))
  const retentionMs = sessionRetentionMs(session)
  const stretchMs = sessionStretches(session).advanceMs
  const readKey = keyReader(store, layout.rowKeyBytes)
  const readRow = rowReader(name, sessionsCodec(value))
  const stretchOf = (end: number): number => end - (end % stretchMs)
  const earliestOpen = (streamTime: number): number => Math.max(0, streamTime - retentionMs + 1)

  /** Of a row, by their start, or the other way round. */
  const endingFrom = (stored: Buffer, earliestEnd: number, backward: boolean): readonly Session<V>[] => {
    const found = readRow(stored).value.sessions.filter(({ end }) => end >= earliestEnd)
    return backward ? found.reverse() : found
  }
  const keyed = (key: K, { start, end, value }: Session<V>): KeyedRow<Windowed<K>, V> => ({
    key: { key, start, end },
    value,
    timestamp: end,
  })

  async function* findIn(
    view: StoreView<K>,
    key: K,
    earliestEnd: number,
    latestStart: number,
    backward: boolean,
  ): AsyncGenerator<KeyedRow<Windowed<K>, V>> {
    const from = Math.max(earliestEnd, earliestOpen(view.streamTime))
    if (from > view.streamTime) return
    const starts = { first: stretchOf(from), last: stretchOf(view.streamTime), stepMs: stretchMs }
    for await (const [, stored] of rowsOfKey(view, key, starts, backward)) {
      for (const one of endingFrom(stored, from, backward)) {
        if (one.start <= latestStart) yield keyed(key, one)
        else if (!backward) return
      }
    }
  }
  const find = (
    key: K,
    earliestEnd: number,
    latestStart: number,
    backward: boolean,
  ): AsyncIterable<KeyedRow<Windowed<K>, V>> => {
    checkTime(name, 'the earliest end', earliestEnd)
    checkTime(name, 'the latest start', latestStart)
    return rows(() => firstRows(store, key, (view) => findIn(view, key, earliestEnd, latestStart, backward)))
  }
  const ofKey = (key: K, backward: boolean): AsyncIterable<KeyedRow<Windowed<K>, V>> =>
    find(key, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, backward)

  const rangeOf = ({ streamTime }: StoreView<K>, backward: boolean): RowRange | undefined => {
    if (streamTime < 0) return undefined
    const from = rowKey(layout, stretchOf(earliestOpen(streamTime)))
    return { from, to: rowKey(layout, stretchOf(streamTime) + 1), backward }
  }
  const bytesOf = (end: K | undefined): Buffer | undefined => (end === undefined ? undefined : keyCodec.serialize(end))
  const between = (
    from: K | undefined,
    to: K | undefined,
    backward: boolean,
  ): AsyncIterable<KeyedRow<Windowed<K>, V>> => {
    const low = bytesOf(from)
    const high = bytesOf(to)
    const isWithin = (stored: Buffer): boolean => {
      const key = stored.subarray(layout.rowKeyBytes)
      return (low === undefined || key.compare(low) >= 0) && (high === undefined || key.compare(high) <= 0)
    }
    return rows(async function* () {
      for await (const { key: storedKey, value: stored, streamTime } of scanAll(store, (view) =>
        rangeOf(view, backward),
      )) {
        if (!isWithin(storedKey)) continue
        const key = readKey(storedKey)
        for (const one of endingFrom(stored, earliestOpen(streamTime), backward)) yield keyed(key, one)
      }
    })
  }

  return Object.freeze({
    kind: 'session',
    name,
    fetch: (...keys: readonly [K] | readonly [K | undefined, K | undefined]) =>
      keys.length === 1 ? ofKey(keys[0], false) : between(keys[0], keys[1], false),
    backwardFetch: (...keys: readonly [K] | readonly [K | undefined, K | undefined]) =>
      keys.length === 1 ? ofKey(keys[0], true) : between(keys[0], keys[1], true),
    findSessions: (key: K, earliestEnd: number, latestStart: number) => find(key, earliestEnd, latestStart, false),
    backwardFindSessions: (key: K, earliestEnd: number, latestStart: number) =>
      find(key, earliestEnd, latestStart, true),
    fetchSession: (key: K, start: number, end: number): Promise<Row<V> | undefined> =>
      firstFound(store, key, async (view) => {
        if (!(end >= earliestOpen(view.streamTime) && end <= view.streamTime)) return undefined
        const stored = await view.get(stretchOf(end), key)
        const found = stored && readRow(stored).value.sessions.find((one) => one.start === start && one.end === end)
        return found && { value: found.value, timestamp: end }
      }),
    all: () => between(undefined, undefined, false),
    backwardAll: () => between(undefined, undefined, true),
  })
}
