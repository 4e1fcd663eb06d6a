/** What an update of a table did to a value, for where both halves travel in one record. */

/** The value of now and the one it took the place of; null is no value. */
export interface Change<out V> {
  readonly value: V | null
  readonly old: V | null
}
