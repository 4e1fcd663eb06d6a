/** The TypeScript type of an Avro schema literal. Types only: the compiler works out what avsc will give at run time. */

/** A schema as Avro's specification writes it in JSON. */
export type AvroSchema = string | readonly AvroSchema[] | AvroSchemaObject

export interface AvroSchemaObject {
  readonly type: AvroSchema
  readonly [attribute: string]: unknown
}

interface Primitives {
  readonly null: null
  readonly boolean: boolean
  readonly int: number
  /** Always bigint: a long does not fit a number. */
  readonly long: bigint
  readonly float: number
  readonly double: number
  readonly bytes: Buffer
  readonly string: string
}

/**
 * The values of a schema literal: records as objects, enums as unions of their symbols, `long` as bigint, bytes and
 * fixed as Buffer, a union as the union of its branches, logical types as what they annotate. A name stands for its
 * definition within the schema. A schema that is no literal (its strings are widened) gives `unknown`.
 */
export type AvroType<S> = string extends S ? unknown : Value<S, Named<S>>

type Value<S, All> = S extends keyof Primitives
  ? Primitives[S]
  : S extends string
    ? Value<WithName<All, Unqualified<S>>, All>
    : S extends readonly unknown[]
      ? Value<S[number], All>
      : S extends { readonly type: 'record'; readonly fields: infer F extends readonly Field[] }
        ? { readonly [P in F[number] as P['name']]: Value<P['type'], All> }
        : S extends { readonly type: 'enum'; readonly symbols: infer E extends readonly string[] }
          ? E[number]
          : S extends { readonly type: 'array'; readonly items: infer I }
            ? Value<I, All>[]
            : S extends { readonly type: 'map'; readonly values: infer V }
              ? { readonly [key: string]: Value<V, All> }
              : S extends { readonly type: 'fixed' }
                ? Buffer
                : S extends { readonly type: infer T }
                  ? Value<T, All>
                  : never

interface Field {
  readonly name: string
  readonly type: unknown
}

/** Every definition of a name within a schema, as a union of their literals. */
type Named<S> = S extends string
  ? never
  : S extends readonly unknown[]
    ? Named<S[number]>
    : S extends { readonly type: 'record'; readonly fields: infer F extends readonly Field[] }
      ? S | Named<F[number]['type']>
      : S extends { readonly type: 'enum' | 'fixed' }
        ? S
        : S extends { readonly type: 'array'; readonly items: infer I }
          ? Named<I>
          : S extends { readonly type: 'map'; readonly values: infer V }
            ? Named<V>
            : S extends { readonly type: infer T }
              ? Named<T>
              : never

/** Definitions are found by their last part: two of the same in different namespaces give the union of both. */
type WithName<All, Name> = All extends { readonly name: infer N extends string }
  ? Unqualified<N> extends Name
    ? All
    : never
  : never

type Unqualified<N extends string> = N extends `${string}.${infer Rest}` ? Unqualified<Rest> : N
