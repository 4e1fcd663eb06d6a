/** Joins a processor to several children: each record, or update of a table, goes to all of them, in the order of the topology. */

import type { Process, Update } from './processor.ts'

export function fanOut<K, V>(nexts: readonly Process<K, V>[]): Process<K, V> {
  const [first, second] = nexts
  if (first === undefined) return () => undefined
  if (second === undefined) return first
  if (nexts.length === 2) {
    return (key, value, timestamp, headers) => {
      first(key, value, timestamp, headers)
      second(key, value, timestamp, headers)
    }
  }
  return (key, value, timestamp, headers) => {
    for (let i = 0; i < nexts.length; i++) (nexts[i] as Process<K, V>)(key, value, timestamp, headers)
  }
}

export function fanOutUpdates<K, V>(nexts: readonly Update<K, V>[]): Update<K, V> {
  const [first, second] = nexts
  if (first === undefined) return () => undefined
  if (second === undefined) return first
  return (key, value, old, timestamp, headers) => {
    for (let i = 0; i < nexts.length; i++) (nexts[i] as Update<K, V>)(key, value, old, timestamp, headers)
  }
}
