/** A serde turns values into bytes and back, synchronously: a record never waits for one. */

/** The writing half. A function property, so that the compiler checks it contravariantly. */
export interface Serializer<in T> {
  readonly serialize: (value: T) => Buffer
}

/** The reading half. The bytes may be a view into a larger buffer: copy what is to be kept. */
export interface Deserializer<out T> {
  readonly deserialize: (bytes: Buffer) => T
}

export interface Serde<T> extends Serializer<T>, Deserializer<T> {
  /** Name of the format, for `graph`, errors and topology comparison: `string`, `json`, `avro:Order`. */
  readonly format: string
  /**
   * Whether equal values always give equal bytes and are compared by `===` (strings, numbers, bigints): such keys can
   * be looked up in memory without being serialized.
   */
  readonly primitive: boolean
  /**
   * Awaited once per fetched batch before its bytes are deserialized, to fetch what they need (schemas by id, say).
   * It rejects only when the source of schemas cannot be reached; an unknown id is left to `deserialize` to throw.
   */
  readonly prepare?: (batch: readonly Buffer[]) => Promise<void> | undefined
  /** Awaited once before the first record is processed: registers the writer's schema, say. */
  readonly open?: () => Promise<void>
}

// biome-ignore lint/suspicious/noExplicitAny: the graph holds serdes of every type; the typed facade keeps them apart.
export type AnySerde = Serde<any>
