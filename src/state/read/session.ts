/** Reads a session store: all sessions of a key are one row. Those that stream time has closed are not shown. */

import { type SessionWindows, sessionRetentionMs, type Windowed } from '../../common/windows.ts'
import { type Codec, storePrefix } from '../codec.ts'
import { sessionsCodec } from '../session-codec.ts'
import type { Row, Session } from '../store.ts'
import { firstFound, firstRows, keyRange, keyReader, type Partitions, rowReader, rows, scanAll } from './partitions.ts'
import type { KeyedRow, QueryableSessionStore } from './queryable.ts'
import { checkTime } from './times.ts'

export function queryableSession<K, V>(
  store: Partitions<K>,
  value: Codec<V>,
  session: SessionWindows,
): QueryableSessionStore<K, V> {
  const { name, key: keyCodec } = store
  const prefix = storePrefix(name)
  const retentionMs = sessionRetentionMs(session)
  const readKey = keyReader(store, prefix.length)
  const readRow = rowReader(name, sessionsCodec(value))

  /** Of a row, by their start, or the other way round. */
  const open = (stored: Buffer, streamTime: number, backward: boolean): readonly Session<V>[] => {
    const found = readRow(stored).value.filter(({ end }) => end > streamTime - retentionMs)
    return backward ? found.reverse() : found
  }
  const keyed = (key: K, { start, end, value }: Session<V>): KeyedRow<Windowed<K>, V> => ({
    key: { key, start, end },
    value,
    timestamp: end,
  })

  const find = (
    key: K,
    earliestEnd: number,
    latestStart: number,
    backward: boolean,
  ): AsyncIterable<KeyedRow<Windowed<K>, V>> => {
    checkTime(name, 'the earliest end', earliestEnd)
    checkTime(name, 'the latest start', latestStart)
    return rows(() =>
      firstRows(store, key, async function* (view) {
        const stored = await view.get(0, key)
        if (stored === undefined) return
        for (const session of open(stored, view.streamTime, backward)) {
          if (session.end >= earliestEnd && session.start <= latestStart) yield keyed(key, session)
        }
      }),
    )
  }
  const ofKey = (key: K, backward: boolean): AsyncIterable<KeyedRow<Windowed<K>, V>> =>
    find(key, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, backward)

  const bytesOf = (end: K | undefined): Buffer | undefined => (end === undefined ? undefined : keyCodec.serialize(end))
  const between = (
    from: K | undefined,
    to: K | undefined,
    backward: boolean,
  ): AsyncIterable<KeyedRow<Windowed<K>, V>> => {
    const range = { ...keyRange(prefix, bytesOf(from), bytesOf(to)), backward }
    return rows(async function* () {
      for await (const { key: storedKey, value: stored, streamTime } of scanAll(store, () => range)) {
        for (const session of open(stored, streamTime, backward)) yield keyed(readKey(storedKey), session)
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
        const stored = await view.get(0, key)
        const found =
          stored && open(stored, view.streamTime, false).find((one) => one.start === start && one.end === end)
        return found && { value: found.value, timestamp: end }
      }),
    all: () => between(undefined, undefined, false),
    backwardAll: () => between(undefined, undefined, true),
  })
}
