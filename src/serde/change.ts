/** Changes of a table on their way through a repartition topic: old and new travel in one record, so that nobody sees one without the other (KIP-904). */

import { type ByteTarget, deserializeWith, readerOf, serializeWith, writerOf } from '../common/bytes.ts'
import type { Change } from '../common/change.ts'
import { StreamError } from '../common/errors.ts'
import type { AnySerde, Serde } from './serde.ts'

/** length:4 and the new value, then the old one; a length of -1 is no new value, and no byte after it no old one. */
const lengthBytes = 4
const none = -1

/**
 * Values of a changed row: `length:4 new 00`, or `01 old` in the place of the `00`.
 * @throws StreamError DESERIALIZATION for bytes of another form.
 */
export function changeOf<V>(inner: Serde<V>): Serde<Change<V>> {
  const write = writerOf(inner)
  const read = readerOf(inner)
  const { fingerprint, prepare, open } = inner as AnySerde
  return Object.freeze({
    format: `change(${inner.format})`,
    primitive: false,
    serialize: serializeWith(({ value, old }: Change<V>, target: ByteTarget): void => {
      const at = target.reserve(lengthBytes)
      target.length = at + lengthBytes
      if (value !== null) write(value, target)
      const length = value === null ? none : target.length - at - lengthBytes
      target.buffer.writeInt32BE(length, at)
      const flag = target.reserve(1)
      target.buffer[flag] = old === null ? 0 : 1
      target.length = flag + 1
      if (old !== null) write(old, target)
    }),
    deserialize: deserializeWith((source: Buffer, start: number, end: number): Change<V> => {
      const { valueEnd, oldStart } = partsOf(source, start, end)
      return {
        value: valueEnd < 0 ? null : read(source, start + lengthBytes, valueEnd),
        old: oldStart < 0 ? null : read(source, oldStart, end),
      }
    }),
    ...(fingerprint !== undefined && { fingerprint }),
    ...(prepare && { prepare: (batch: readonly Buffer[]) => prepare(batch.flatMap(innerBytes)) }),
    ...(open && { open }),
  })
}

/** Where the new value ends, and where the old one starts; -1 for one that is not there. */
function partsOf(source: Buffer, start: number, end: number): { readonly valueEnd: number; readonly oldStart: number } {
  const length = end - start > lengthBytes ? source.readInt32BE(start) : Number.NaN
  const flag = start + lengthBytes + Math.max(0, length)
  const known = source[flag]
  if (!(length >= none && flag < end) || !(known === 1 || (known === 0 && flag + 1 === end))) {
    throw new StreamError('DESERIALIZATION', `${end - start} bytes are no change of a row`)
  }
  return { valueEnd: length === none ? -1 : flag, oldStart: known === 1 ? flag + 1 : -1 }
}

function innerBytes(bytes: Buffer): readonly Buffer[] {
  try {
    const { valueEnd, oldStart } = partsOf(bytes, 0, bytes.length)
    const value = valueEnd < 0 ? [] : [bytes.subarray(lengthBytes, valueEnd)]
    return oldStart < 0 ? value : [...value, bytes.subarray(oldStart)]
  } catch {
    // Reading it says what is wrong, with the record's place.
    return []
  }
}
