/** The bytes of a link in the ring of subscriptions to one foreign key. */

import { type ByteTarget, deserializeWith, serializeWith } from '../common/bytes.ts'
import { StreamError } from '../common/errors.ts'
import type { Link } from '../common/subscription.ts'
import type { Serde } from './serde.ts'

const none = -1

/** `partition:4`, then hash, previous and next as `length:4` and as many bytes each; a length of -1 is null. */
export const link: Serde<Link> = Object.freeze({
  format: 'link',
  primitive: false,
  serialize: serializeWith(({ hash, partition, previous, next }: Link, target: ByteTarget): void => {
    const at = target.reserve(4)
    target.length = target.buffer.writeUInt32BE(partition, at)
    writeText(hash, target)
    writeText(previous, target)
    writeText(next, target)
  }),
  deserialize: deserializeWith((source: Buffer, start: number, end: number): Link => {
    let at = start + 4
    const text = (): string | null => {
      const from = at + 4
      const length = from > end ? Number.NaN : source.readInt32BE(at)
      if (!(length >= none && from + length <= end)) {
        throw new StreamError('DESERIALIZATION', `${end - start} bytes are no link`)
      }
      at = from + Math.max(0, length)
      return length === none ? null : source.toString('latin1', from, at)
    }
    const hash = text()
    return { partition: source.readUInt32BE(start), hash: hash ?? '', previous: text(), next: text() }
  }),
})

function writeText(text: string | null, target: ByteTarget): void {
  const length = text === null ? 0 : text.length
  const at = target.reserve(4 + length)
  target.buffer.writeInt32BE(text === null ? none : length, at)
  target.length = at + 4 + (text === null ? 0 : target.buffer.write(text, at + 4, 'latin1'))
}
