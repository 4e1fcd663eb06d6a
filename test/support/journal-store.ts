/**
 * A supplier whose rows outlive their process, as a user might write it: rows in memory, and a file of every change since the first. A line is
 * one change, with its checksum; one that a crash has cut short is none, and what stands before it is what there is.
 */

import { appendFile, open, readFile, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { ByteRow, ByteStore, ByteWrite, StoreContext, StoreSupplier } from 'streamctl'
import { listStore } from './list-store.ts'

/** In the directory that a task has of it. */
export const journalFile = 'journal'

type Hex = string
/** Rows to put, null to delete; or a range to delete. */
type Change = readonly (readonly [Hex, Hex | null])[] | { readonly from: Hex; readonly to: Hex }

export function journalSupplier(name: string): StoreSupplier {
  return Object.freeze({ name, open: ({ dir, task }: StoreContext) => openJournal(dir, task) })
}

async function openJournal(dir: string | null, task: string): Promise<ByteStore> {
  if (dir === null) throw new Error(`task ${task} has no directory to keep a journal in`)
  const path = join(dir, journalFile)
  await (await open(path, 'a', 0o600)).close()
  let rows: readonly ByteRow[] = []
  const list = listStore({
    get: () => rows,
    set: (changed) => {
      rows = changed
    },
  })
  const { changes, length } = whole(await readFile(path))
  await truncate(path, length)
  for (const change of changes) {
    if ('from' in change) await list.deleteRange(bytesOf(change.from), bytesOf(change.to))
    else
      await list.write(
        change.map(([key, value]) => ({ key: bytesOf(key), value: value === null ? null : bytesOf(value) })),
      )
  }
  return {
    ...list,
    write: async (writes) => {
      await appendFile(path, lineOf(writes.map(hex)))
      await list.write(writes)
    },
    deleteRange: async (from, to) => {
      await appendFile(path, lineOf({ from: from.toString('hex'), to: to.toString('hex') }))
      await list.deleteRange(from, to)
    },
  }
}

function hex({ key, value }: ByteWrite): readonly [Hex, Hex | null] {
  return [key.toString('hex'), value === null ? null : value.toString('hex')]
}

function bytesOf(text: Hex): Buffer {
  return Buffer.from(text, 'hex')
}

function lineOf(change: Change): string {
  const json = JSON.stringify(change)
  return `${crc32(json)} ${json}\n`
}

/** The changes up to the first that is not whole, and how many bytes they are. */
function whole(file: Buffer): { readonly changes: readonly Change[]; readonly length: number } {
  const changes: Change[] = []
  let length = 0
  for (let end = file.indexOf('\n'); end >= 0; end = file.indexOf('\n', length)) {
    const [, sum, json] = /^(\d+) (.*)$/.exec(file.toString('utf8', length, end)) ?? []
    if (json === undefined || crc32(json) !== Number(sum)) break
    changes.push(JSON.parse(json) as Change)
    length = end + 1
  }
  return { changes, length }
}
