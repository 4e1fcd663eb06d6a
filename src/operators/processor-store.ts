/** A store as a user's processor sees it: values without their timestamps, and nothing that would fail only at the commit. */

import type { KeyValueStore } from '../state/store.ts'
import type { Moment } from './moment.ts'
import type { View } from './processor.ts'

export interface ProcessorStore<K, V> {
  get(key: K): V | undefined
  put(key: K, value: V | null): void
  putIfAbsent(key: K, value: V): V | undefined
  delete(key: K): V | undefined
}

/** Rows carry the timestamp of the record at hand, in a punctuation its time, as Kafka Streams' changelogs do. */
export function processorStore<K, V>(
  store: KeyValueStore<K, V>,
  name: string,
  moment: Moment,
): Readonly<ProcessorStore<K, V>> {
  const get = (key: K): V | undefined => {
    moment.check()
    return store.get(checkedKey(key, name))?.value
  }
  const put = (key: K, value: V | null): void => {
    moment.check()
    if (value === undefined) throw new TypeError(`store ${name}: put was given undefined; null deletes`)
    store.put(checkedKey(key, name), value, moment.timestamp)
  }
  return Object.freeze({
    get,
    put,
    putIfAbsent: (key: K, value: V) => {
      const before = get(key)
      if (before === undefined) put(key, value)
      return before
    },
    delete: (key: K) => {
      const before = get(key)
      if (before !== undefined) put(key, null)
      return before
    },
  })
}

export function processorTable<K, V>(
  view: View<K, V>,
  name: string,
  moment: Moment,
): Readonly<Pick<ProcessorStore<K, V>, 'get'>> {
  return Object.freeze({
    get: (key: K) => {
      moment.check()
      return view(checkedKey(key, name))?.value
    },
  })
}

function checkedKey<K>(key: K, name: string): K {
  if (key === null || key === undefined) throw new TypeError(`store ${name}: a key is ${String(key)}`)
  return key
}
