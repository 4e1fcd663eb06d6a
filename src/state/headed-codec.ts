/** A value with the headers of its record: the headers, then the value. */

import { type ByteTarget, deserializeWith, readerOf, serializeWith, writerOf } from '../common/bytes.ts'
import type { Headers } from '../common/record.ts'
import type { Codec } from './codec.ts'
import { readHeaders, writeHeaders } from './headers-codec.ts'

export interface Headed<V> {
  readonly headers: Headers
  readonly value: V
}

export function headedCodec<V>(value: Codec<V>): Codec<Headed<V>> {
  const writeValue = writerOf(value)
  const readValue = readerOf(value)
  return {
    primitive: false,
    serialize: serializeWith((row: Headed<V>, target: ByteTarget): void => {
      writeHeaders(row.headers, target)
      writeValue(row.value, target)
    }),
    deserialize: deserializeWith((source: Buffer, start: number, end: number): Headed<V> => {
      const { headers, end: valueAt } = readHeaders(source, start)
      return { headers, value: readValue(source, valueAt, end) }
    }),
  }
}
