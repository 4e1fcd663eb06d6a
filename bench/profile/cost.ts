/** What functions cost by themselves, microseconds or bytes, added up over all stacks that reach them. */

import { type Frame, siteOf } from './frame.ts'
import { type Part, partOf } from './parts.ts'

export interface Cost {
  readonly part: Part
  /** See `siteOf`. */
  readonly site: string
  readonly amount: number
}

/** A tree of calls, as both profilers give one. */
export interface Call {
  readonly frame: Frame
  readonly self: number
  readonly callees: readonly Call[]
}

/** Switching it on and off is no cost of what is looked at. */
const profiler = 'bench/profile/'

export function costsOf(trees: readonly Call[]): readonly Cost[] {
  const costs = new Map<string, Cost>()
  const visit = ({ frame, self, callees }: Call, callers: readonly Frame[], callersPart: Part): void => {
    const stack = [frame, ...callers]
    const part = partOf(frame, callersPart)
    const site = siteOf(stack)
    if (self > 0 && !site.startsWith(profiler)) {
      const key = `${part}\n${site}`
      costs.set(key, { part, site, amount: self + (costs.get(key)?.amount ?? 0) })
    }
    for (const callee of callees) visit(callee, stack, part)
  }
  for (const tree of trees) visit(tree, [], 'other')
  return [...costs.values()]
}
