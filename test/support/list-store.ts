/** A supplier as a user might write it: a sorted list of rows, copied for each snapshot. */

import type { ByteRow, ByteStore, ByteWrite, StoreContext, StoreSupplier } from 'streamctl'

export interface ListSupplier extends StoreSupplier {
  /** Each opening, in order. */
  readonly opened: StoreContext[]
  /** Rows by `<app> <task>`, as the last write left them. */
  readonly lists: Map<string, readonly ByteRow[]>
}

/** @param keeps whether rows outlive their store. */
export function listSupplier(name: string, { keeps }: { readonly keeps: boolean }): ListSupplier {
  const lists = new Map<string, readonly ByteRow[]>()
  const opened: StoreContext[] = []
  const open = (context: StoreContext): ByteStore => {
    const id = `${context.appId} ${context.task}`
    opened.push(context)
    if (!keeps) lists.delete(id)
    return listStore({ get: () => lists.get(id) ?? [], set: (rows) => lists.set(id, rows) })
  }
  return Object.freeze({ name, open, opened, lists })
}

interface Cell {
  readonly get: () => readonly ByteRow[]
  readonly set: (rows: readonly ByteRow[]) => void
}

/** A write makes a new list, and shows it at once: it is whole, and a snapshot is the list as it was. */
export function listStore({ get, set }: Cell): ByteStore {
  return {
    get: (key) => valueIn(get(), key),
    write: async (writes) => set(written(get(), writes)),
    deleteRange: async (from, to) => set(get().filter((row) => !isWithin(row, from, to))),
    scan: (from, to) => rowsOf(get(), from, to),
    snapshot: () => {
      const rows = get()
      return {
        get: async (key) => valueIn(rows, key),
        scan: (from, to, backward) => rowsOf(backward === true ? [...rows].reverse() : rows, from, to),
        close: async () => undefined,
      }
    },
    close: async () => undefined,
  }
}

function valueIn(rows: readonly ByteRow[], key: Buffer): Buffer | undefined {
  let low = 0
  for (let high = rows.length; low < high; ) {
    const middle = (low + high) >> 1
    if ((rows[middle] as ByteRow)[0].compare(key) < 0) low = middle + 1
    else high = middle
  }
  const row = rows[low]
  return row?.[0].equals(key) === true ? Buffer.from(row[1]) : undefined
}

function written(rows: readonly ByteRow[], writes: readonly ByteWrite[]): readonly ByteRow[] {
  const all = new Map(rows.map((row) => [row[0].toString('latin1'), row]))
  for (const { key, value } of writes) {
    if (value === null) all.delete(key.toString('latin1'))
    else all.set(key.toString('latin1'), [Buffer.from(key), Buffer.from(value)])
  }
  return [...all.values()].sort(([a], [b]) => a.compare(b))
}

function isWithin([key]: ByteRow, from: Buffer, to: Buffer): boolean {
  return key.compare(from) >= 0 && key.compare(to) < 0
}

async function* rowsOf(rows: readonly ByteRow[], from: Buffer, to: Buffer): AsyncGenerator<ByteRow> {
  for (const row of rows) if (isWithin(row, from, to)) yield [Buffer.from(row[0]), Buffer.from(row[1])]
}
