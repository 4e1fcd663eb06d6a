/** Topics by a pattern of their names: all that match are read alike, those that there are and those that come to be. */

import { StreamError } from '../common/errors.ts'
import type { Serde } from './serde.ts'
import { requireSerdes } from './topic.ts'

export interface TopicPattern<K, V> {
  readonly kind: 'topic-pattern'
  /** As it is written: `/orders-\w+/`. */
  readonly name: string
  /** Matches whole names. */
  readonly pattern: RegExp
  readonly key: Serde<K>
  readonly value: Serde<V>
}

/**
 * Declares the topics whose whole name matches: `topicPattern(/orders-\w+/, { key: string, value: json<Order>() })` is `orders-eu` and
 * `orders-us`, and not `all-orders-eu` (Kafka Streams: `stream(Pattern)`). Topics that the application makes for itself never match.
 * @throws StreamError INVALID_ARGUMENT when it is no regular expression, has the flag g or y, or a serde is missing.
 */
export function topicPattern<K, V>(
  pattern: RegExp,
  serdes: { readonly key: Serde<K>; readonly value: Serde<V> },
): TopicPattern<K, V> {
  if (!(pattern instanceof RegExp)) {
    throw new StreamError('INVALID_ARGUMENT', `${JSON.stringify(pattern)} is not a regular expression`, {
      hint: 'Give one that the whole name matches: topicPattern(/orders-.*/, { key: string, value: json<Order>() }).',
    })
  }
  const name = String(pattern)
  if (pattern.global || pattern.sticky) {
    throw new StreamError(
      'INVALID_ARGUMENT',
      `${name} remembers where it matched last (flag ${pattern.global ? 'g' : 'y'})`,
      {
        hint: 'Leave the flag out: a name matches as a whole, or not at all.',
      },
    )
  }
  const { key, value } = requireSerdes(serdes, `${name} has`, `topicPattern(${name}, …)`)
  return Object.freeze({
    kind: 'topic-pattern',
    name,
    pattern: new RegExp(`^(?:${pattern.source})$`, pattern.flags),
    key,
    value,
  })
}
