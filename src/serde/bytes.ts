/** Bytes as they are. What is read is a copy, so that a small value kept in a store never pins the fetch it came in. */

import { StreamError } from '../common/errors.ts'
import type { Serde } from './serde.ts'

/**
 * Raw bytes. `deserialize` copies; `serialize` passes the buffer through, so it must not change after it is emitted.
 * @throws StreamError SERIALIZATION for anything but a Buffer or Uint8Array.
 */
export const bytes: Serde<Buffer> = Object.freeze({
  format: 'bytes',
  primitive: false,
  serialize(value: Buffer): Buffer {
    if (Buffer.isBuffer(value)) return value
    const other: unknown = value
    if (other instanceof Uint8Array) return Buffer.from(other.buffer, other.byteOffset, other.byteLength)
    throw new StreamError('SERIALIZATION', `a Buffer was expected, not ${other === null ? 'null' : typeof other}`)
  },
  deserialize(view: Buffer): Buffer {
    return Buffer.from(view)
  },
})
