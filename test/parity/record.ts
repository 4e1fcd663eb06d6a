/** A record as both sides and the recorded vectors have it: plain JSON. */

export interface JsonRecord {
  readonly topic: string
  /** Text, or `{ key, start, end }` of a window. */
  readonly key: unknown
  readonly value: unknown
  /** ms since the epoch. */
  readonly timestamp: number
  readonly headers: readonly (readonly [key: string, value: string])[]
}
