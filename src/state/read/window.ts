/**
 * Reads a store of windows: tumbling and hopping ones, a row each, and sliding ones, where a row holds those of a key that start in one stretch. Rows
 * lie by their start, then by key, so that windows of a span are one range, and those of a key are looked up start by start.
 */

import { type SlidingWindows, slidingStretches, type TimeWindows, type Windowed } from '../../common/windows.ts'
import { type Codec, readInt64, rowKey, storePrefix, windowLayout } from '../codec.ts'
import { panesCodec } from '../session-codec.ts'
import type { Pane, Row } from '../store.ts'
import { firstFound, firstRows, keyReader, type Partitions, rowReader, rows, scanAll } from './partitions.ts'
import type { KeyedRow, QueryableWindowStore } from './queryable.ts'
import { rowsOfKey } from './rows-of-key.ts'
import { checkTime } from './times.ts'
import type { RowRange, StoreView } from './view.ts'

/** What the rows of a store hold. */
interface Shape<V> {
  /** Rows start at multiples of this, ms. */
  readonly stepMs: number
  /** ms from the start of a window to its end. */
  readonly lengthMs: number
  /** ms of stream time after its start that a window can be seen. */
  readonly retentionMs: number
  /** The windows in `timestamp:8 value`, in their order. */
  readonly windowsIn: (rowStart: number, stored: Buffer) => readonly Pane<V>[]
}

/** Starts from `from` to `to`, both included. */
interface Span {
  readonly from: number
  readonly to: number
}

export function queryableWindow<K, V>(
  store: Partitions<K>,
  value: Codec<V>,
  { sizeMs, advanceMs, graceMs }: TimeWindows,
): QueryableWindowStore<K, V> {
  const readRow = rowReader(store.name, value)
  return queryable(store, {
    stepMs: advanceMs,
    lengthMs: sizeMs,
    retentionMs: sizeMs + graceMs,
    windowsIn: (start, stored) => [{ start, ...readRow(stored) }],
  })
}

export function queryableSliding<K, V>(
  store: Partitions<K>,
  value: Codec<V>,
  windows: SlidingWindows,
): QueryableWindowStore<K, V> {
  const readRow = rowReader(store.name, panesCodec(value))
  const { timeDifferenceMs, graceMs } = windows
  return queryable(store, {
    stepMs: slidingStretches(windows).advanceMs,
    lengthMs: timeDifferenceMs,
    // As long as Kafka Streams shows them.
    retentionMs: 2 * timeDifferenceMs + graceMs,
    windowsIn: (_stretch, stored) => readRow(stored).value,
  })
}

function queryable<K, V>(store: Partitions<K>, shape: Shape<V>): QueryableWindowStore<K, V> {
  const { name } = store
  const { stepMs, lengthMs, retentionMs, windowsIn } = shape
  const prefix = storePrefix(name)
  const layout = windowLayout(prefix)
  const readKey = keyReader(store, layout.rowKeyBytes)
  const rowStartOf = (start: number): number => start - (start % stepMs)

  /** What of it there can be: neither windows that have ended nor such as stream time has not come to. */
  const seen = ({ from, to }: Span, streamTime: number): Span => ({
    from: Math.max(from, streamTime - retentionMs + 1, 0),
    to: Math.min(to, streamTime),
  })
  const within = (panes: readonly Pane<V>[], { from, to }: Span, backward: boolean): readonly Pane<V>[] => {
    const found = panes.filter(({ start }) => start >= from && start <= to)
    return backward ? found.reverse() : found
  }
  const keyed = (key: K, { start, value, timestamp }: Pane<V>): KeyedRow<Windowed<K>, V> => ({
    key: { key, start, end: start + lengthMs },
    value,
    timestamp,
  })

  async function one(view: StoreView<K>, key: K, start: number): Promise<Row<V> | undefined> {
    const { from, to } = seen({ from: start, to: start }, view.streamTime)
    if (from > to) return undefined
    const rowStart = rowStartOf(start)
    const stored = await view.get(rowStart, key)
    const pane = stored && windowsIn(rowStart, stored).find((pane) => pane.start === start)
    return pane && { value: pane.value, timestamp: pane.timestamp }
  }

  async function* ofKey(
    view: StoreView<K>,
    key: K,
    span: Span,
    backward: boolean,
  ): AsyncGenerator<KeyedRow<Windowed<K>, V>> {
    const limits = seen(span, view.streamTime)
    if (limits.from > limits.to) return
    const starts = { first: rowStartOf(limits.from), last: rowStartOf(limits.to), stepMs }
    for await (const [start, stored] of rowsOfKey(view, key, starts, backward)) {
      for (const pane of within(windowsIn(start, stored), limits, backward)) yield keyed(key, pane)
    }
  }

  const rangeOf = (span: Span, streamTime: number, backward: boolean): RowRange | undefined => {
    const { from, to } = seen(span, streamTime)
    if (from > to) return undefined
    return { from: rowKey(layout, rowStartOf(from)), to: rowKey(layout, rowStartOf(to) + 1), backward }
  }
  async function* ofAll(span: Span, backward: boolean): AsyncGenerator<KeyedRow<Windowed<K>, V>> {
    const found = scanAll(store, ({ streamTime }) => rangeOf(span, streamTime, backward))
    for await (const { key: storedKey, value: stored, streamTime } of found) {
      const panes = windowsIn(readInt64(storedKey, prefix.length), stored)
      for (const pane of within(panes, seen(span, streamTime), backward)) yield keyed(readKey(storedKey), pane)
    }
  }

  const spanOf = (from: number, to: number): Span => {
    checkTime(name, 'from', from)
    checkTime(name, 'to', to)
    return { from, to }
  }
  const fetchOne = async (key: K, start: number): Promise<Row<V> | undefined> => {
    checkTime(name, 'start', start)
    return firstFound(store, key, (view) => one(view, key, start))
  }
  const fetchSpan = (key: K, from: number, to: number, backward: boolean): AsyncIterable<KeyedRow<Windowed<K>, V>> => {
    const span = spanOf(from, to)
    return rows(() => firstRows(store, key, (view) => ofKey(view, key, span, backward)))
  }
  const fetchAll = (from: number, to: number, backward: boolean): AsyncIterable<KeyedRow<Windowed<K>, V>> => {
    const span = spanOf(from, to)
    return rows(() => ofAll(span, backward))
  }

  return Object.freeze({
    kind: 'window',
    name,
    fetch: ((key: K, from: number, to?: number) =>
      to === undefined ? fetchOne(key, from) : fetchSpan(key, from, to, false)) as QueryableWindowStore<K, V>['fetch'],
    backwardFetch: (key: K, from: number, to: number) => fetchSpan(key, from, to, true),
    fetchAll: (from: number, to: number) => fetchAll(from, to, false),
    backwardFetchAll: (from: number, to: number) => fetchAll(from, to, true),
    all: () => fetchAll(0, Number.POSITIVE_INFINITY, false),
    backwardAll: () => fetchAll(0, Number.POSITIVE_INFINITY, true),
  })
}
