/** The bytes of what a foreign-key join keeps of who refers to a foreign key. */

import { type ByteTarget, deserializeWith, serializeWith } from '../common/bytes.ts'
import { StreamError } from '../common/errors.ts'
import type { Block, Subscriber, SubscriptionRow } from '../common/subscription.ts'
import type { Serde } from './serde.ts'

const subscriberKind = 0
const blockKind = 1
const none = 0xffff_ffff
const subscriberHead = 1 + 4 + 4
const blockHead = 1 + 4 + 4 + 4

/** `00 partition:4 block:4 hash`, or `01 number:4 previous:4 next:4` and the keys, each as `length:4` and as many bytes; a previous of ffffffff is none. */
export const subscriptionRow: Serde<SubscriptionRow> = Object.freeze({
  format: 'subscription-row',
  primitive: false,
  serialize: serializeWith((row: SubscriptionRow, target: ByteTarget): void => {
    if ('keys' in row) writeBlock(row, target)
    else writeSubscriber(row, target)
  }),
  deserialize: deserializeWith((source: Buffer, start: number, end: number): SubscriptionRow => {
    const kind = start < end ? source[start] : undefined
    if (kind === subscriberKind && end - start >= subscriberHead) return readSubscriber(source, start, end)
    if (kind === blockKind && end - start >= blockHead) return readBlock(source, start, end)
    throw unreadable(end - start)
  }),
})

function writeSubscriber({ partition, block, hash }: Subscriber, target: ByteTarget): void {
  const at = target.reserve(subscriberHead + hash.length)
  const { buffer } = target
  buffer[at] = subscriberKind
  buffer.writeUInt32BE(partition, at + 1)
  buffer.writeUInt32BE(block, at + 5)
  target.length = at + subscriberHead + buffer.write(hash, at + subscriberHead, 'latin1')
}

function readSubscriber(source: Buffer, start: number, end: number): Subscriber {
  return {
    partition: source.readUInt32BE(start + 1),
    block: source.readUInt32BE(start + 5),
    hash: source.toString('latin1', start + subscriberHead, end),
  }
}

function writeBlock({ number, previous, next, keys }: Block, target: ByteTarget): void {
  const at = target.reserve(blockHead)
  target.buffer[at] = blockKind
  target.buffer.writeUInt32BE(number, at + 1)
  target.buffer.writeUInt32BE(previous ?? none, at + 5)
  target.length = target.buffer.writeUInt32BE(next, at + 9)
  for (const key of keys) {
    const keyAt = target.reserve(4 + key.length)
    target.buffer.writeUInt32BE(key.length, keyAt)
    target.length = keyAt + 4 + target.buffer.write(key, keyAt + 4, 'latin1')
  }
}

function readBlock(source: Buffer, start: number, end: number): Block {
  const previous = source.readUInt32BE(start + 5)
  const keys: string[] = []
  for (let at = start + blockHead; at < end; ) {
    const from = at + 4
    const to = from > end ? Number.NaN : from + source.readUInt32BE(at)
    if (!(to <= end)) throw unreadable(end - start)
    keys.push(source.toString('latin1', from, to))
    at = to
  }
  return {
    number: source.readUInt32BE(start + 1),
    previous: previous === none ? null : previous,
    next: source.readUInt32BE(start + 9),
    keys,
  }
}

function unreadable(length: number): StreamError {
  return new StreamError('DESERIALIZATION', `${length} bytes are no row of subscriptions`)
}
