/**
 * What the two sides of a foreign-key join tell each other (KIP-213). Keys of the left table travel as the text of their bytes, a
 * character each: the foreign side has no use for more.
 */

/**
 * What the foreign side does with a subscription: `subscribe` answers, but quietly where it has no row, `resubscribe` answers, `unsubscribe` does not,
 * and `unsubscribe-and-answer` does with no row (Kafka Streams: PROPAGATE_ONLY_IF_FK_VAL_AVAILABLE, which gives no answer without a row,
 * PROPAGATE_NULL_IF_NO_FK_VAL_AVAILABLE, DELETE_KEY_NO_PROPAGATE, DELETE_KEY_AND_PROPAGATE).
 */
export const instructions = ['subscribe', 'resubscribe', 'unsubscribe', 'unsubscribe-and-answer'] as const
export type Instruction = (typeof instructions)[number]

/** From a row of the left table to the row of the other that it refers to. */
export interface Subscription {
  readonly instruction: Instruction
  /** Of the left row's bytes, null when it is gone: an answer counts only while the row is still the same. */
  readonly hash: string | null
  /** The left row's key. */
  readonly key: string
  /** Where the left row is, and the answer goes. */
  readonly partition: number
}

/** The answer; its record's key is that of the left row. */
export interface SubscriptionResponse<out V> {
  readonly hash: string | null
  /** The row of the other table, null when there is none. */
  readonly value: V | null
  /** Takes back a result that is kept, and is no update where none is. Set only without a row. */
  readonly quiet?: true
  /** Where the answer goes; it is not written. */
  readonly partition: number
}

/** Who refers to a foreign key. */
export interface Subscriber {
  readonly kind: 'subscriber'
  readonly hash: string
  readonly partition: number
  /** Number of the block that has its key. */
  readonly block: number
}

/**
 * The last keys that refer to a foreign key, in order of arrival, and where the others are. It takes those that come, until it is full. There is one for as
 * long as anyone refers to the foreign key. Keys are texts of one character a byte.
 */
export interface OpenBlock {
  readonly kind: 'open'
  /** Higher than that of any full block. */
  readonly number: number
  readonly keys: readonly string[]
  /** Number of the first full block, null where there is none. */
  readonly first: number | null
  /** Number of the last full block, null where there is none. */
  readonly last: number | null
}

/** Keys that came before those of the open block; it only loses some. */
export interface FullBlock {
  readonly kind: 'full'
  readonly keys: readonly string[]
  /** Number of the full block before, null in the first. */
  readonly previous: number | null
  /** Number of the block after; in the last that of the open one, which is to be the next that is full. */
  readonly next: number
}

/** What is kept of subscriptions. */
export type SubscriptionRow = Subscriber | OpenBlock | FullBlock
