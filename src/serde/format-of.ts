/** How a serde's format is told apart from others. */

import type { AnySerde } from './serde.ts'

/** `json`, `avro:Order#1f0c2a9b`: where a schema decides, two of one name are two formats. */
export function formatOf({ format, fingerprint }: Pick<AnySerde, 'format' | 'fingerprint'>): string {
  return fingerprint === undefined ? format : `${format}#${fingerprint}`
}
