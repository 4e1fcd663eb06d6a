/**
 * The rows of the left table that refer to each foreign key, on a key-value store: their keys in order of arrival in a ring of small blocks per foreign
 * key, and a row of its own for each, which says in which block it is. A subscription comes and goes with a write of its row and its block, and
 * an update of the foreign row walks the blocks: neither needs an index in memory, nor an ordered scan, which LevelDB does not give synchronously.
 */

import type { Block, Subscriber, Subscription, SubscriptionRow } from '../common/subscription.ts'
import type { KeyValueStore } from './store.ts'

/** A block is written again with each that comes to it. */
const keysPerBlock = 8

/** Who subscribes. */
export interface Subscribed extends Pick<Subscription, 'key' | 'partition' | 'isNew'> {
  readonly hash: string
}

export interface Subscriptions {
  /** A subscription that is there keeps its place; of a new one there is none. */
  put(foreignKey: string, subscription: Subscribed, timestamp: number): void
  remove(foreignKey: string, key: string, timestamp: number): void
  /** In order of arrival. Nothing may be put or removed meanwhile. */
  each(foreignKey: string, visit: (key: string, hash: string, partition: number) => void): void
}

export function subscriptions(store: KeyValueStore<string, SubscriptionRow>): Subscriptions {
  const subscriberOf = (row: string) => store.get(row)?.value as Subscriber | undefined
  const blockOf = (row: string) => store.get(row)?.value as Block | undefined
  const change = (row: string, part: Partial<Block>, timestamp: number): void =>
    store.put(row, { ...(blockOf(row) as Block), ...part }, timestamp)
  /** @returns number of the block that has the key. */
  const add = (foreignKey: string, key: string, timestamp: number): number => {
    const openRow = openRowOf(foreignKey)
    const { number, keys, previous, next } = blockOf(openRow) ?? noBlock
    const more = [...keys, key]
    if (more.length < keysPerBlock) {
      store.put(openRow, { number, keys: more, previous, next }, timestamp)
      return number
    }
    // The next one to be full follows it, and the open one until then.
    store.put(openRow, { number: number + 1, keys: [], previous: number, next }, timestamp)
    store.put(blockRowOf(foreignKey, number), { number, keys: more, previous, next: number + 1 }, timestamp)
    return number
  }
  return {
    put(foreignKey, { key, hash, partition, isNew }, timestamp) {
      const row = rowOf(foreignKey, key)
      const known = isNew ? undefined : subscriberOf(row)
      const block = known?.block ?? add(foreignKey, key, timestamp)
      store.put(row, { hash, partition, block }, timestamp)
    },
    remove(foreignKey, key, timestamp) {
      const row = rowOf(foreignKey, key)
      const known = subscriberOf(row)
      if (known === undefined) return
      store.put(row, null, timestamp)
      const openRow = openRowOf(foreignKey)
      const open = blockOf(openRow) as Block
      const isOpen = known.block === open.number
      const blockRow = isOpen ? openRow : blockRowOf(foreignKey, known.block)
      const block = isOpen ? open : (blockOf(blockRow) as Block)
      const keys = block.keys.filter((other) => other !== key)
      if (keys.length > 0 || (isOpen && open.previous !== null)) {
        store.put(blockRow, { ...block, keys }, timestamp)
        return
      }
      store.put(blockRow, null, timestamp)
      if (isOpen) return
      const { previous, next } = block
      const isLast = next === open.number
      if (previous !== null) change(blockRowOf(foreignKey, previous), { next }, timestamp)
      if (!isLast) change(blockRowOf(foreignKey, next), { previous }, timestamp)
      if (previous === null && isLast && open.keys.length === 0) store.put(openRow, null, timestamp)
      else if (previous === null || isLast) {
        change(openRow, { ...(previous === null && { next }), ...(isLast && { previous }) }, timestamp)
      }
    },
    each(foreignKey, visit) {
      const open = blockOf(openRowOf(foreignKey))
      if (open === undefined) return
      const show = (key: string): void => {
        const { hash, partition } = subscriberOf(rowOf(foreignKey, key)) as Subscriber
        visit(key, hash, partition)
      }
      for (let at = open.next; at !== open.number; ) {
        const { keys, next } = blockOf(blockRowOf(foreignKey, at)) as Block
        keys.forEach(show)
        at = next
      }
      open.keys.forEach(show)
    },
  }
}

const noBlock: Block = Object.freeze({ number: 0, keys: [], previous: null, next: 0 })

/** `00 length:3 foreign-key key` */
function rowOf(foreignKey: string, key: string): string {
  const { length } = foreignKey
  return `\x00${String.fromCharCode((length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff)}${foreignKey}${key}`
}

/** `01 foreign-key` */
function openRowOf(foreignKey: string): string {
  return `\x01${foreignKey}`
}

/** `02 number:4 foreign-key` */
function blockRowOf(foreignKey: string, number: number): string {
  const bytes = String.fromCharCode(number >>> 24, (number >>> 16) & 0xff, (number >>> 8) & 0xff, number & 0xff)
  return `\x02${bytes}${foreignKey}`
}
