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
   * What else than the name of the format decides how bytes read: a hash of the schema. A store whose rows were written
   * under another one is refused.
   */
  readonly fingerprint?: string
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
  /**
   * Awaited before the first record is processed, to make ready what `serialize` needs (the id of the writer's schema,
   * say): once for each sink topic the serde writes, with the topic and which part of the record it is; after those,
   * once without arguments for a serde that writes only what nobody but the application reads (stores, changelog and
   * repartition topics), so that internal topics never show in a registry. Not called for sources.
   */
  readonly open?: (topic?: string, part?: 'key' | 'value') => Promise<void>
  /**
   * On serdes of keys: how many bytes at the end of a key do not choose its partition. Default 0. A windowed key goes
   * where its inner key goes (Kafka Streams: `WindowedStreamPartitioner`).
   */
  readonly unpartitionedBytes?: number
  /**
   * The value from its JSON form, for the command line and test data, where the format's name does not say how (a schema
   * is needed): bigints are numbers or strings there, bytes are base64.
   * @throws StreamError SERIALIZATION for JSON that is no such value.
   */
  readonly fromJson?: (json: unknown) => T
}

// biome-ignore lint/suspicious/noExplicitAny: the graph holds serdes of every type; the typed facade keeps them apart.
export type AnySerde = Serde<any>

/** Whether bytes read by themselves: rows of stores can be the bytes that records came with, since nothing is fetched for rows. */
export function isReadAlone({ prepare }: AnySerde): boolean {
  return prepare === undefined
}
