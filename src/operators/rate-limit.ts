/** Parts a stream into the records that a limit lets pass and those beyond it. */

import { type IdOf, limitedBy } from './limited-by.ts'
import { type LimiterArgs, limiter } from './limiter.ts'
import type { Process, ProcessorContext } from './processor.ts'

export interface RateLimitArgs<K, V> extends LimiterArgs<unknown>, IdOf<K, V> {}

/** By the index of the branch. */
export const rateLimitBranches = ['within', 'over'] as const

/**
 * A record without an id counts for nothing and is within the limit. One that is further behind stream time than the grace is over it: no span ever
 * has more than the limit.
 */
export function rateLimit<K, V>(
  args: RateLimitArgs<K, V>,
  ctx: ProcessorContext,
  [within, over]: readonly (Process<K, V> | undefined)[],
): Process<K, V> {
  const idOf = limitedBy(ctx.node, args)
  const verdictOn = limiter(args)
  const { forwarded } = ctx
  return (key, value, timestamp, headers) => {
    const id = idOf(key, value)
    const isWithin = id === null || verdictOn(id, timestamp) === 'passes'
    const next = isWithin ? within : over
    if (next === undefined) {
      if (!isWithin) ctx.drop('over-limit')
      return
    }
    forwarded.count++
    next(key, value, timestamp, headers)
  }
}
