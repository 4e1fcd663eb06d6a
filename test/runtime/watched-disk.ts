/** The byte stores on disk, watched and made to fail: for a file of tests that mocks `state/level.ts` with it. */

import type { ByteWrite } from '../../src/state/store.ts'

/** What they were asked to do, and what they are to refuse. */
export const disk = {
  batches: [] as (readonly ByteWrite[])[],
  refuseWrite: false,
  refuseRange: false,
}

export function resetDisk(): void {
  disk.batches = []
  disk.refuseWrite = false
  disk.refuseRange = false
}

type Level = typeof import('../../src/state/level.ts')

export function watched(real: Level): Pick<Level, 'openLevel'> {
  return {
    openLevel: async (...args) => {
      const level = await real.openLevel(...args)
      return {
        get: (key) => level.get(key),
        write: async (writes) => {
          if (disk.refuseWrite) throw new Error('no space left')
          disk.batches.push(writes)
          await level.write(writes)
        },
        deleteRange: async (from, to) => {
          if (disk.refuseRange) throw new Error('killed')
          await level.deleteRange(from, to)
        },
        scan: (from, to) => level.scan(from, to),
        snapshot: () => level.snapshot(),
        close: () => level.close(),
      }
    },
  }
}
