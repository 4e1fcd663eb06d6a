/** What every operator compiles to: a plain closure that calls the next one. */

import type { Counter } from '../common/counter.ts'
import { messageOf, StreamError } from '../common/errors.ts'
import type { ConsumerRecord, Headers, TopicPartition } from '../common/record.ts'
import type { Row } from '../state/store.ts'

/** One hop of a record. Values are immutable by contract: a branch passes the same object to each child. */
// biome-ignore lint/suspicious/noExplicitAny: a compiled chain joins processors of every type; the typed facade has checked them.
export type Process<K = any, V = any> = (key: K, value: V, timestamp: number, headers: Headers) => void

/**
 * One update of a table: the new value of a key and the one it takes the place of; null stands for no row (Kafka Streams: Change).
 * The old one is only to be relied on where an operator downstream asks for it (`sendsOld`): it may have to be looked up.
 */
// biome-ignore lint/suspicious/noExplicitAny: as for Process.
export type Update<K = any, V = any> = (
  key: K,
  value: V | null,
  old: V | null,
  timestamp: number,
  headers: Headers,
) => void

/**
 * A table as a join looks at it: the row of a key as it is now, or, of a versioned table, as it was at the time `asOf`, ms (Kafka
 * Streams: KTableValueGetter). Other tables know only now.
 */
// biome-ignore lint/suspicious/noExplicitAny: as for Process.
export type View<K = any, V = any> = (key: K, asOf?: number) => Row<V> | undefined

/** Why an operator dropped a record; each is counted by reason. */
export type DropReason =
  | 'null-key'
  | 'null-value'
  | 'null-foreign-key'
  | 'invalid-timestamp'
  | 'late'
  | 'no-match'
  | 'duplicate'
  | 'over-limit'

/** The record a task is at, one object that the task sets anew for each; in a punctuation there is none. */
export interface CurrentRecord {
  /** What the value was read as. */
  value: unknown
  /** As it was read. */
  record: ConsumerRecord | null
  /** Where it was read from. */
  from: TopicPartition | null
}

/** Before the first record, and in a punctuation. */
export function noCurrentRecord(): CurrentRecord {
  return { value: undefined, record: null, from: null }
}

/** The record that the value was read from; undefined when it is another one. */
export function recordOf(value: unknown, unchanged: CurrentRecord | undefined): ConsumerRecord | undefined {
  return unchanged !== undefined && unchanged.record !== null && Object.is(value, unchanged.value)
    ? unchanged.record
    : undefined
}

/** What a processor knows of its surroundings besides its arguments. */
export interface ProcessorContext {
  /** Name for errors. */
  readonly node: string
  /** Records this processor has passed on; touched only where that differs from the records it received. */
  readonly forwarded: Counter
  drop(reason: DropReason): void
}

/** A user function of two arguments whose exception names the processor. The try costs nothing while nothing is thrown. */
export function guard2<A, B, R>(node: string, call: (a: A, b: B) => R): (a: A, b: B) => R {
  return (a, b) => {
    try {
      return call(a, b)
    } catch (thrown) {
      throw processingError(node, thrown)
    }
  }
}

export function guard3<A, B, C, R>(node: string, call: (a: A, b: B, c: C) => R): (a: A, b: B, c: C) => R {
  return (a, b, c) => {
    try {
      return call(a, b, c)
    } catch (thrown) {
      throw processingError(node, thrown)
    }
  }
}

/** As guard2, for a result that is used as a value. @param who what the function is called in errors: `mapper`. */
export function value2<A, B, R>(node: string, who: string, call: (a: A, b: B) => R): (a: A, b: B) => R {
  return (a, b) => {
    try {
      return checkedValue(call(a, b), who)
    } catch (thrown) {
      throw processingError(node, thrown)
    }
  }
}

export function value3<A, B, C, R>(node: string, who: string, call: (a: A, b: B, c: C) => R): (a: A, b: B, c: C) => R {
  return (a, b, c) => {
    try {
      return checkedValue(call(a, b, c), who)
    } catch (thrown) {
      throw processingError(node, thrown)
    }
  }
}

/** As guard2, for a result that is taken for true or false, as a promise would be. */
export function predicate2<A, B>(node: string, call: (a: A, b: B) => unknown): (a: A, b: B) => boolean {
  return (a, b) => {
    try {
      const result = call(a, b)
      if (result instanceof Promise) throw noResult(result, 'predicate')
      return Boolean(result)
    } catch (thrown) {
      throw processingError(node, thrown)
    }
  }
}

/**
 * Null may be a value. Undefined and a promise are none: they would fail when they are serialized, far from the function that gave them.
 * @param as what of the result it is: ` as the key`.
 */
export function checkedValue<T>(value: T, who: string, as = ''): T {
  if (value === undefined || value instanceof Promise) throw noResult(value, who, as)
  return value
}

export function noResult(result: unknown, who: string, as = ''): TypeError {
  if (!(result instanceof Promise))
    return new TypeError(`the ${who} returned undefined${as}: a return is missing, or null is meant`)
  // Nobody waits for it: its failure would be nobody's either, and end the process.
  void result.then(undefined, () => undefined)
  return new TypeError(`the ${who} returned a promise${as}: a record is processed without waiting, except by mapAsync`)
}

export function processingError(node: string, thrown: unknown): StreamError {
  const message = messageOf(thrown)
  const changed =
    thrown instanceof TypeError && /read only property|not extensible|Cannot delete property/.test(message)
  const hint = changed ? { hint: 'Values are immutable: return a new one, and leave the given one as it is.' } : {}
  return new StreamError('PROCESSING', `${node}: ${message}`, { cause: thrown, where: { node }, ...hint })
}
