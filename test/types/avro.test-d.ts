import { expectTypeOf, test } from 'vitest'
import { avro } from '../../src/serde/avro.ts'
import type { AvroSchema, AvroType } from '../../src/serde/avro-type.ts'
import type { Serde } from '../../src/serde/serde.ts'

test('primitives', () => {
  expectTypeOf(avro('string')).toEqualTypeOf<Serde<string>>()
  expectTypeOf<AvroType<'null'>>().toEqualTypeOf<null>()
  expectTypeOf<AvroType<'boolean'>>().toEqualTypeOf<boolean>()
  expectTypeOf<AvroType<'int'>>().toEqualTypeOf<number>()
  expectTypeOf<AvroType<'long'>>().toEqualTypeOf<bigint>()
  expectTypeOf<AvroType<'float'>>().toEqualTypeOf<number>()
  expectTypeOf<AvroType<'double'>>().toEqualTypeOf<number>()
  expectTypeOf<AvroType<'bytes'>>().toEqualTypeOf<Buffer>()
})

test('a literal given in place gives the type of its values', () => {
  const serde = avro({
    type: 'record',
    name: 'Order',
    namespace: 'shop',
    fields: [
      { name: 'id', type: 'string' },
      { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
      { name: 'currency', type: { type: 'enum', name: 'Currency', symbols: ['EUR', 'USD'] } },
      { name: 'note', type: ['null', 'string'], default: null },
      {
        name: 'lines',
        type: { type: 'array', items: { type: 'record', name: 'Line', fields: [{ name: 'n', type: 'int' }] } },
      },
      { name: 'labels', type: { type: 'map', values: ['long', 'null'] } },
      { name: 'hash', type: { type: 'fixed', name: 'Hash', size: 4 } },
      { name: 'refund', type: ['null', 'shop.Currency'] },
      { name: 'first', type: 'Line' },
    ],
  })
  interface Order {
    readonly id: string
    readonly at: bigint
    readonly currency: 'EUR' | 'USD'
    readonly note: string | null
    readonly lines: { readonly n: number }[]
    readonly labels: { readonly [key: string]: bigint | null }
    readonly hash: Buffer
    readonly refund: 'EUR' | 'USD' | null
    readonly first: { readonly n: number }
  }
  expectTypeOf(serde.deserialize).returns.toEqualTypeOf<Order>()
  expectTypeOf(serde.serialize).parameter(0).toEqualTypeOf<Order>()
})

test('a constant, and a record that holds itself', () => {
  const Node = {
    type: 'record',
    name: 'Node',
    fields: [
      { name: 'v', type: 'int' },
      { name: 'next', type: ['null', 'Node'] },
    ],
  } as const
  const node = avro(Node).deserialize(Buffer.alloc(0))
  expectTypeOf(node.v).toEqualTypeOf<number>()
  expectTypeOf(node.next?.next?.next?.v).toEqualTypeOf<number | undefined>()
})

test('mistakes are errors', () => {
  const serde = avro({
    type: 'record',
    name: 'O',
    fields: [
      { name: 'at', type: 'long' },
      { name: 'currency', type: { type: 'enum', name: 'C', symbols: ['EUR'] } },
    ],
  })
  serde.serialize({ at: 1n, currency: 'EUR' })
  // @ts-expect-error a long is a bigint
  serde.serialize({ at: 1, currency: 'EUR' })
  // @ts-expect-error GBP is not a symbol of the enum
  serde.serialize({ at: 1n, currency: 'GBP' })
  // @ts-expect-error a misspelt field
  serde.serialize({ at: 1n, curency: 'EUR' })
  // @ts-expect-error a field is missing
  serde.serialize({ at: 1n })
})

test('a schema whose literals were lost gives unknown, not a wrong type', () => {
  const loaded = JSON.parse('"string"') as AvroSchema
  expectTypeOf(avro(loaded)).toEqualTypeOf<Serde<unknown>>()
})
