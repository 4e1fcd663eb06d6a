/** Keys as a map finds them: primitive ones as they are, others by their bytes, a latin1 character each. */

import { type ByteTarget, writerOf } from '../common/bytes.ts'
import type { Codec } from './codec.ts'

export interface MapKeys<K> {
  readonly of: (key: K) => unknown
  readonly ofBytes: (bytes: Buffer) => unknown
  readonly keyOf: (mapKey: unknown) => K
  /** The key's bytes as a latin1 string: they compare as the bytes do. */
  readonly textOf: (mapKey: unknown) => string
  /** Appends the key's bytes. */
  readonly write: (mapKey: unknown, target: ByteTarget) => void
}

export function mapKeys<K>(codec: Codec<K>): MapKeys<K> {
  if (codec.primitive) {
    return {
      of: canonical,
      ofBytes: (bytes) => canonical(codec.deserialize(bytes)),
      keyOf: (mapKey) => mapKey as K,
      textOf: (mapKey) => codec.serialize(mapKey as K).toString('latin1'),
      write: writerOf(codec) as MapKeys<K>['write'],
    }
  }
  return {
    of: (key) => codec.serialize(key).toString('latin1'),
    ofBytes: (bytes) => bytes.toString('latin1'),
    keyOf: (mapKey) => codec.deserialize(Buffer.from(mapKey as string, 'latin1')),
    textOf: (mapKey) => mapKey as string,
    write: (mapKey, target) => target.writeBytes(Buffer.from(mapKey as string, 'latin1')),
  }
}

/** Keys with the same bytes must be one entry: lone surrogates all encode to U+FFFD, and -0 and 0 are one key of a map. */
export function canonical<K>(key: K): K {
  if (typeof key === 'string') return key.isWellFormed() ? key : (key.toWellFormed() as K)
  return key === 0 ? (0 as K) : key
}
