/** V8's CPU profiles of one thread as costs in microseconds, the time in which it had nothing to do set apart. */

import type { Profiler } from 'node:inspector'
import { Session } from 'node:inspector/promises'
import { type Call, type Cost, costsOf } from './cost.ts'
import { frameOf } from './frame.ts'

export interface CpuCosts {
  readonly costs: readonly Cost[]
  readonly idle: number
}

/** Microseconds between two samples: some thousand of them in a second. */
const interval = 200

/** The profile of what happens during `run`. */
export async function cpuProfile(run: () => Promise<void>): Promise<Profiler.Profile> {
  const session = new Session()
  session.connect()
  try {
    await session.post('Profiler.enable')
    await session.post('Profiler.setSamplingInterval', { interval })
    await session.post('Profiler.start')
    await run()
    return (await session.post('Profiler.stop')).profile
  } finally {
    session.disconnect()
  }
}

export function cpuCosts(profiles: readonly Profiler.Profile[]): CpuCosts {
  const all = costsOf(profiles.map(callsOf))
  const isIdle = ({ site }: Cost) => site === '(idle)'
  return {
    costs: all.filter((cost) => !isIdle(cost)),
    idle: all.filter(isIdle).reduce((sum, { amount }) => sum + amount, 0),
  }
}

function callsOf({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Call {
  const self = new Map<number, number>()
  for (const [i, id] of samples.entries()) {
    // Samples of a signal handler may be out of order.
    self.set(id, (self.get(id) ?? 0) + Math.max(0, timeDeltas[i] ?? 0))
  }
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const call = (node: Profiler.ProfileNode): Call => ({
    frame: frameOf(node.callFrame),
    self: self.get(node.id) ?? 0,
    callees: (node.children ?? []).map((id) => call(byId.get(id) as Profiler.ProfileNode)),
  })
  return call(nodes[0] as Profiler.ProfileNode)
}
