/** Every axis, by name. */

import { chain } from './axes/chain.ts'
import { hotKey } from './axes/hot-key.ts'
import { keys } from './axes/keys.ts'
import { openWindows } from './axes/open-windows.ts'
import { partitions } from './axes/partitions.ts'
import { recordSize } from './axes/record-size.ts'
import { windowsPerRecord } from './axes/windows-per-record.ts'
import { workers } from './axes/workers.ts'
import type { Axis } from './axis.ts'

export const axes: ReadonlyMap<string, Axis> = new Map(
  [keys, partitions, windowsPerRecord, openWindows, recordSize, hotKey, chain, workers].map((axis) => [
    axis.name,
    axis,
  ]),
)
