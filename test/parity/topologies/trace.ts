/** An aggregate that shows what went into it, and in which order. */

import { json, type Serde } from 'streamctl'

/** What went in, in its order, as far as it fits; java/Aggregates.java has the same. */
export function trace(before: string, value: unknown, key: string): string {
  return `${before}${key}${value},`.slice(-24)
}

export function traced(): {
  readonly init: () => string
  readonly add: typeof trace
  readonly serde: Serde<string>
} {
  return { init: () => '', add: trace, serde: json<string>() }
}
