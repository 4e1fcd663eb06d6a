/** What operator tests share: a context that counts, a child that remembers, and headers to recognise. */

import type { Headers } from '../../src/common/record.ts'
import type { DropReason, Process, ProcessorContext, Update } from '../../src/operators/processor.ts'
import type {
  Buffered,
  BufferStore,
  KeyValueStore,
  Row,
  Session,
  SessionStore,
  WindowStore,
} from '../../src/state/store.ts'

export interface TestContext extends ProcessorContext {
  readonly drops: DropReason[]
}

export function context(node = 'the-node'): TestContext {
  const drops: DropReason[] = []
  return { node, forwarded: { count: 0 }, drops, drop: (reason) => drops.push(reason) }
}

export type Seen = [key: unknown, value: unknown, timestamp: number]

export const headers: Headers = [{ key: 'trace', value: Buffer.from('1') }]

/** A child that keeps what it is given, and insists on the headers of the triggering record. */
export function collector(): { readonly seen: Seen[]; readonly next: Process; readonly update: Update } {
  const seen: Seen[] = []
  const next: Process = (key, value, timestamp, given) => {
    if (given !== headers) throw new Error('the headers are not those of the record')
    seen.push([key, value, timestamp])
  }
  return { seen, next, update: (key, value, _old, timestamp, given) => next(key, value, timestamp, given) }
}

/** A store that is nothing but a map. */
export function keyValueStore<K, V>(): KeyValueStore<K, V> & { readonly rows: Map<K, Row<V>> } {
  const rows = new Map<K, Row<V>>()
  return {
    rows,
    get: (key) => rows.get(key),
    put: (key, value, timestamp) => {
      if (value === null) rows.delete(key)
      else rows.set(key, { value, timestamp })
    },
    digest: (key) => JSON.stringify(rows.get(key)?.value ?? null),
  }
}

export function windowStore<K, V>(): WindowStore<K, V> & { readonly rows: Map<string, Row<V>> } {
  const rows = new Map<string, Row<V>>()
  const name = (key: K, start: number): string => `${String(key)}@${start}`
  return {
    rows,
    streamTime: -1,
    get: (key, start) => rows.get(name(key, start)),
    put: (key, start, value, timestamp) => {
      if (value === null) rows.delete(name(key, start))
      else rows.set(name(key, start), { value, timestamp })
    },
  }
}

export function sessionStore<K, V>(
  retentionMs: number,
): SessionStore<K, V> & { readonly sessions: Map<K, Session<V>[]> } {
  const sessions = new Map<K, Session<V>[]>()
  return {
    sessions,
    streamTime: -1,
    find(key, earliestEnd, latestStart) {
      const from = Math.max(earliestEnd, this.streamTime - retentionMs + 1)
      return (sessions.get(key) ?? []).filter(({ start, end }) => end >= from && start <= latestStart)
    },
    replace(key, _found, start, end, value) {
      const others = (sessions.get(key) ?? []).filter((one) => one.end < start || one.start > end)
      const all = value === null ? others : [...others, { start, end, value }]
      sessions.set(
        key,
        all.sort((a, b) => a.end - b.end),
      )
    },
  }
}

/** @param bytesOf what a row counts, where a limit in bytes is tested. */
export function bufferStore<K, V>(bytesOf: (value: V | null) => number = () => 0): BufferStore<K, V> {
  const rows = new Map<K, { readonly key: K; row: Row<Buffered<V>> }>()
  const inOrder = () =>
    [...rows.values()].sort((a, b) => a.row.value.time - b.row.value.time || (String(a.key) < String(b.key) ? -1 : 1))
  return {
    streamTime: -1,
    get size() {
      return rows.size
    },
    get bytes() {
      return inOrder().reduce((sum, { row }) => sum + bytesOf(row.value.value), 0)
    },
    get firstTime() {
      return inOrder()[0]?.row.value.time ?? Number.POSITIVE_INFINITY
    },
    get: (key) => rows.get(key)?.row,
    put(key, value, old, time, timestamp, headers) {
      const { prior, time: since } = rows.get(key)?.row.value ?? { prior: old, time }
      rows.set(key, { key, row: { value: { time: since, prior, value, headers }, timestamp } })
    },
    shift() {
      const { key, row } = inOrder()[0] as { readonly key: K; readonly row: Row<Buffered<V>> }
      rows.delete(key)
      return { key, timestamp: row.timestamp, ...row.value }
    },
  }
}
