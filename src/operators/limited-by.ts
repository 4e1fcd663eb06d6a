/** What a record is known by where records are limited: its key, or an id within it. */

import { guard2, processingError } from './processor.ts'

/** An id as users give it; two are the same when their texts are. */
export type Id = string | number | bigint | boolean

export interface IdOf<K, V> {
  /** Null: none. Without it the key is the id. */
  readonly by?: ((value: V & {}, key: K) => Id | null) | undefined
  /** The key of the store for an id within a key. */
  readonly identify: (key: K, id: string) => unknown
}

/** Null when a record has no id: no key, or, where there is `by`, no value or a null id. */
export function limitedBy<K, V>(node: string, { by, identify }: IdOf<K, V>): (key: K, value: V) => unknown {
  if (by === undefined) return (key) => key
  const idOf = guard2(node, by)
  return (key, value) => {
    if (value === null || value === undefined) return null
    const id: unknown = idOf(value, key)
    if (id === null) return null
    if (typeof id === 'string') return identify(key, id)
    if (!isId(id)) {
      const what = `\`by\` gave ${id === undefined ? 'undefined' : 'an object'}; it gives a string, a number or null for no id`
      throw processingError(node, new TypeError(what))
    }
    return identify(key, String(id))
  }
}

function isId(id: unknown): id is Id {
  return typeof id === 'number' || typeof id === 'bigint' || typeof id === 'boolean'
}
