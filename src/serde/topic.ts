/** A topic as a value: its name and how its bytes read. The types of a topology start here. */

import { StreamError } from '../common/errors.ts'
import type { Serde } from './serde.ts'

/** What to do with a record whose bytes do not read: stop before it (nothing past it is committed), or dead-letter it. */
export type DeserializationPolicy =
  | { readonly policy: 'fail' }
  | { readonly policy: 'dead-letter'; readonly topic: string }

export interface TopicDefinition<K, V> {
  readonly kind: 'topic'
  readonly name: string
  readonly key: Serde<K>
  readonly value: Serde<V>
}

const legalName = /^[a-zA-Z0-9._-]{1,249}$/

/** Kafka's rule for topic names, also ours for the names of stores and applications. */
export function isLegalName(name: string): boolean {
  return legalName.test(name) && name !== '.' && name !== '..'
}

/**
 * Declares a topic: `topic('orders', { key: string, value: json<Order>() })`.
 * @throws StreamError INVALID_ARGUMENT when the name is not one Kafka takes, or a serde is missing.
 */
export function topic<K, V>(
  name: string,
  serdes: { readonly key: Serde<K>; readonly value: Serde<V> },
): TopicDefinition<K, V> {
  if (!isLegalName(name)) {
    throw new StreamError('INVALID_ARGUMENT', `${JSON.stringify(name)} is not a topic name`, {
      hint: "Use 1 to 249 of the characters a-z A-Z 0-9 . _ - (and not '.' or '..').",
    })
  }
  const { key, value } = requireSerdes(serdes, `topic ${name} has`, "topic('orders', …)")
  return Object.freeze({ kind: 'topic', name, key, value })
}

/** @throws StreamError INVALID_ARGUMENT when one is missing. */
export function requireSerdes<K, V>(
  serdes: { readonly key: Serde<K>; readonly value: Serde<V> },
  whatHas: string,
  call: string,
): { readonly key: Serde<K>; readonly value: Serde<V> } {
  const { key, value } = serdes ?? {}
  for (const [part, serde] of [
    ['key', key],
    ['value', value],
  ] as const) {
    if (typeof serde?.serialize === 'function' && typeof serde.deserialize === 'function') continue
    throw new StreamError('INVALID_ARGUMENT', `${whatHas} no ${part} serde`, {
      hint: `Declare both: ${call.replace('…', '{ key: string, value: json<Order>() }')}.`,
    })
  }
  return { key, value }
}
