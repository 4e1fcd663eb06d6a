/** Codecs and small readers for the store tests, independent of the product's serdes. */

import type { Codec } from '../../src/state/codec.ts'
import type { ByteStore } from '../../src/state/store.ts'

export const text: Codec<string> = {
  primitive: true,
  serialize: (value) => Buffer.from(value, 'utf8'),
  deserialize: (bytes) => bytes.toString('utf8'),
}

/** Not primitive: equal keys are different objects. */
export function json<T>(): Codec<T> {
  return {
    primitive: false,
    serialize: (value) => Buffer.from(JSON.stringify(value), 'utf8'),
    deserialize: (bytes) => JSON.parse(bytes.toString('utf8')) as T,
  }
}

/** Every row of a byte store, as hex. */
export async function dump(bytes: ByteStore): Promise<string[]> {
  const rows: string[] = []
  for await (const [key, value] of bytes.scan(Buffer.alloc(0), Buffer.alloc(300, 0xff))) {
    rows.push(`${key.toString('hex')}=${value.toString('hex')}`)
  }
  return rows
}
