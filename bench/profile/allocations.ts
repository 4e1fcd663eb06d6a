/**
 * What functions allocate on V8's heap, in bytes, garbage included. Bytes outside of it (pools of Buffers, LevelDB) are not seen.
 * The profiler knows no inlined function: the process is to be started with `noInlining`, which adds a few percent of bytes.
 */

import type { HeapProfiler } from 'node:inspector'
import { Session } from 'node:inspector/promises'
import { type Call, type Cost, costsOf } from './cost.ts'
import { frameOf } from './frame.ts'

/** Flags of Node. */
export const noInlining: readonly string[] = ['--no-turbo-inlining', '--no-maglev-inlining']

/** The types of Node know the first only. */
interface Sampling extends HeapProfiler.StartSamplingParameterType {
  readonly includeObjectsCollectedByMajorGC: boolean
  readonly includeObjectsCollectedByMinorGC: boolean
}

/** Bytes between two samples on average: some hundred thousand in a gigabyte. */
const samplingInterval = 4096

/** What is allocated during `run`. */
export async function allocationCosts(run: () => Promise<void>): Promise<readonly Cost[]> {
  const session = new Session()
  session.connect()
  try {
    const sampling: Sampling = {
      samplingInterval,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    }
    await session.post('HeapProfiler.startSampling', sampling)
    await run()
    const { profile } = await session.post('HeapProfiler.stopSampling')
    return costsOf([callOf(profile.head)])
  } finally {
    session.disconnect()
  }
}

function callOf({ callFrame, selfSize, children }: HeapProfiler.SamplingHeapProfileNode): Call {
  return { frame: frameOf(callFrame), self: selfSize, callees: children.map(callOf) }
}
