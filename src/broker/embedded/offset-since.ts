/** Offsets by time. Logs here have no index of timestamps, so a log is read until a record fits. */

import { readDisk } from './disk-read.ts'
import type { Journal } from './journal.ts'
import type { PartitionLog } from './log.ts'

const bytesAtOnce = 512 * 1024

/** Of the first committed record whose timestamp is not before `timestamp`, ms; the last stable offset at the call where there is none. */
export async function offsetSince(journal: Journal, log: PartitionLog, timestamp: number): Promise<number> {
  const end = log.stableEnd
  for (let from = log.start; from < end; ) {
    const { records, position } =
      log.read(from, end, bytesAtOnce) ?? (await readDisk(journal, log, from, end, bytesAtOnce))
    const found = records.find((record) => record.timestamp >= timestamp)
    if (found !== undefined) return found.offset
    from = position
  }
  return end
}
