/** Passes on the first record of each id, and none that is less than a period away from one that was passed on. */

import { type IdOf, limitedBy } from './limited-by.ts'
import { type LimiterArgs, limiter } from './limiter.ts'
import type { Process, ProcessorContext } from './processor.ts'

export interface DedupeArgs<K, V> extends Omit<LimiterArgs<unknown>, 'limit'>, IdOf<K, V> {}

/**
 * A record without an id is passed on, for it cannot be told to be a duplicate; so is one that is further behind stream time than the grace.
 */
export function dedupe<K, V>(args: DedupeArgs<K, V>, ctx: ProcessorContext, next: Process<K, V>): Process<K, V> {
  const idOf = limitedBy(ctx.node, args)
  const verdictOn = limiter({ ...args, limit: 1 })
  const { forwarded } = ctx
  return (key, value, timestamp, headers) => {
    const id = idOf(key, value)
    if (id !== null && verdictOn(id, timestamp) === 'exceeds') {
      ctx.drop('duplicate')
      return
    }
    forwarded.count++
    next(key, value, timestamp, headers)
  }
}
