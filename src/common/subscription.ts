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
  /** The row did not refer to the foreign key before: there is no subscription of it to look for. */
  readonly isNew: boolean
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
  readonly hash: string
  readonly partition: number
  /** Number of the block that has its key. */
  readonly block: number
}

/**
 * Some of the keys that refer to a foreign key, in order of arrival. The one with the highest number is open: it takes those that come, and its neighbours
 * are the last and the first of the others. Keys are texts of one character a byte.
 */
export interface Block {
  readonly number: number
  readonly keys: readonly string[]
  /** Number of the block before; null in the first, and where there is only the open one. */
  readonly previous: number | null
  /** Number of the block after; in the open one that of the first, its own where there is no other. */
  readonly next: number
}

/** What is kept of subscriptions. */
export type SubscriptionRow = Subscriber | Block
