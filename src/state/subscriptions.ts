/**
 * The rows of the left table that refer to each foreign key, on a key-value store: their keys in order of arrival in small blocks per foreign key, and a
 * row of its own for each, which says in which block it is. The last block is open, and knows the first and the last of the full ones, which know their
 * neighbours. A subscription comes and goes with a write of its row and its block, and an update of the foreign row walks the blocks: neither needs
 * an index in memory, nor an ordered scan, which LevelDB does not give synchronously.
 */

import { StreamError } from '../common/errors.ts'
import type { FullBlock, OpenBlock, Subscriber, Subscription, SubscriptionRow } from '../common/subscription.ts'
import type { KeyValueStore } from './store.ts'

/** A block is written again with each that comes to it. */
const keysPerBlock = 8

/** Who subscribes. */
export interface Subscribed extends Pick<Subscription, 'key' | 'partition'> {
  readonly hash: string
}

export interface Subscriptions {
  /** A subscription that is there keeps its place. */
  put(foreignKey: string, subscription: Subscribed, timestamp: number): void
  remove(foreignKey: string, key: string, timestamp: number): void
  /** In order of arrival. Nothing may be put or removed meanwhile. */
  each(foreignKey: string, visit: (key: string, hash: string, partition: number) => void): void
}

/** @throws CORRUPT where a row is missing, or lies in the place of another kind. */
export function subscriptions(store: KeyValueStore<string, SubscriptionRow>): Subscriptions {
  const subscriberOf = (row: string): Subscriber | undefined => {
    const found = store.get(row)?.value
    if (found === undefined || found.kind === 'subscriber') return found
    throw damaged('subscriber', found)
  }
  const openOf = (row: string): OpenBlock | undefined => {
    const found = store.get(row)?.value
    if (found === undefined || found.kind === 'open') return found
    throw damaged('open', found)
  }
  const fullOf = (row: string): FullBlock => {
    const found = store.get(row)?.value
    if (found?.kind === 'full') return found
    throw damaged('full', found)
  }
  /** @returns number of the block that has the key. */
  const add = (foreignKey: string, key: string, timestamp: number): number => {
    const openRow = openRowOf(foreignKey)
    const { number, keys, first, last } = openOf(openRow) ?? noBlock
    const more = [...keys, key]
    if (more.length < keysPerBlock) {
      store.put(openRow, { kind: 'open', number, keys: more, first, last }, timestamp)
      return number
    }
    const opened = number + 1
    store.put(openRow, { kind: 'open', number: opened, keys: [], first: first ?? number, last: number }, timestamp)
    store.put(fullRowOf(foreignKey, number), { kind: 'full', keys: more, previous: last, next: opened }, timestamp)
    return number
  }
  const removeFromOpen = (foreignKey: string, key: string, open: OpenBlock, timestamp: number): void => {
    const keys = without(open.keys, key)
    const isLeft = keys.length > 0 || open.last !== null
    store.put(openRowOf(foreignKey), isLeft ? { ...open, keys } : null, timestamp)
  }
  const removeFromFull = (
    foreignKey: string,
    key: string,
    number: number,
    open: OpenBlock,
    timestamp: number,
  ): void => {
    const row = fullRowOf(foreignKey, number)
    const full = fullOf(row)
    const keys = without(full.keys, key)
    if (keys.length > 0) {
      store.put(row, { ...full, keys }, timestamp)
      return
    }
    store.put(row, null, timestamp)
    unlink(foreignKey, full, open, timestamp)
  }
  /** The neighbours of a block that is gone become each other's; the open block is told where it was the first or the last. */
  const unlink = (foreignKey: string, { previous, next }: FullBlock, open: OpenBlock, timestamp: number): void => {
    const isFirst = previous === null
    const isLast = next === open.number
    if (!isFirst) {
      const row = fullRowOf(foreignKey, previous)
      store.put(row, { ...fullOf(row), next }, timestamp)
    }
    if (!isLast) {
      const row = fullRowOf(foreignKey, next)
      store.put(row, { ...fullOf(row), previous }, timestamp)
    }
    if (!isFirst && !isLast) return
    const last = isLast ? previous : open.last
    const first = last === null ? null : isFirst ? next : open.first
    const isLeft = last !== null || open.keys.length > 0
    store.put(openRowOf(foreignKey), isLeft ? { ...open, first, last } : null, timestamp)
  }
  return {
    put(foreignKey, { key, hash, partition }, timestamp) {
      const row = rowOf(foreignKey, key)
      const known = subscriberOf(row)
      const block = known?.block ?? add(foreignKey, key, timestamp)
      store.put(row, { kind: 'subscriber', hash, partition, block }, timestamp)
    },
    remove(foreignKey, key, timestamp) {
      const row = rowOf(foreignKey, key)
      const known = subscriberOf(row)
      if (known === undefined) return
      store.put(row, null, timestamp)
      const open = openOf(openRowOf(foreignKey))
      if (open === undefined) throw damaged('open', open)
      if (known.block === open.number) removeFromOpen(foreignKey, key, open, timestamp)
      else removeFromFull(foreignKey, key, known.block, open, timestamp)
    },
    each(foreignKey, visit) {
      const open = openOf(openRowOf(foreignKey))
      if (open === undefined) return
      const show = (key: string): void => {
        const known = subscriberOf(rowOf(foreignKey, key))
        if (known === undefined) throw damaged('subscriber', known)
        visit(key, known.hash, known.partition)
      }
      for (let at = open.first ?? open.number; at !== open.number; ) {
        const { keys, next } = fullOf(fullRowOf(foreignKey, at))
        keys.forEach(show)
        at = next
      }
      open.keys.forEach(show)
    },
  }
}

const noBlock: OpenBlock = Object.freeze({ kind: 'open', number: 0, keys: [], first: null, last: null })

function without(keys: readonly string[], key: string): readonly string[] {
  return keys.filter((other) => other !== key)
}

function damaged(wanted: SubscriptionRow['kind'], found: SubscriptionRow | undefined): StreamError {
  const there = found === undefined ? 'no row' : `a row of kind ${found.kind}`
  return new StreamError(
    'CORRUPT',
    `subscriptions of a foreign-key join: ${there} where one of kind ${wanted} should be`,
    {
      hint: 'Delete the state directory of the task: it is rebuilt from the changelog.',
    },
  )
}

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
function fullRowOf(foreignKey: string, number: number): string {
  const bytes = String.fromCharCode(number >>> 24, (number >>> 16) & 0xff, (number >>> 8) & 0xff, number & 0xff)
  return `\x02${bytes}${foreignKey}`
}
