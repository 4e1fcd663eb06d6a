/** Reads the part of a log that has left memory. All of it is settled: only final batches leave. */

import { type Slice, slice } from './batch.ts'
import type { Journal } from './journal.ts'
import type { PartitionLog } from './log.ts'

/** Records of [from, upTo) up to where the log's memory begins, at most `maxBytes` but one record at least. */
export async function readDisk(
  journal: Journal,
  log: PartitionLog,
  from: number,
  upTo: number,
  maxBytes: number,
): Promise<Slice> {
  const before = Math.min(upTo, log.tailFrom)
  const batches = await journal.read(log.id, from, before, maxBytes)
  const bytes = batches.reduce((sum, batch) => sum + batch.bytes, 0)
  const last = batches.at(-1)
  // With fewer bytes than asked for, what follows the last batch is markers and aborted records only.
  const end = last === undefined || bytes < maxBytes ? before : last.last + 1
  return slice(batches, from, end, maxBytes)
}
