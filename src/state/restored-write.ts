/** From a changelog record back to the row of the byte store that it mirrors. */

import { type RowLayout, rowKey, stampedValue } from './codec.ts'
import type { ByteWrite, ChangelogRow } from './store.ts'

/** The byte write that a changelog record with this key stands for. */
export function restoredWrite(
  layout: RowLayout,
  start: number,
  key: Buffer,
  { value, timestamp }: ChangelogRow,
): ByteWrite {
  return { key: rowKey(layout, start, key), value: value === null ? null : stampedValue(value, timestamp) }
}
