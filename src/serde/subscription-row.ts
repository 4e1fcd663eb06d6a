/** The bytes of what a foreign-key join keeps of who refers to a foreign key. */

import { type ByteTarget, deserializeWith, serializeWith } from '../common/bytes.ts'
import { StreamError } from '../common/errors.ts'
import type { FullBlock, OpenBlock, Subscriber, SubscriptionRow } from '../common/subscription.ts'
import type { Serde } from './serde.ts'

const subscriberKind = 0
// 1 was a block of either kind before they had one each: it is refused, not taken for one of them.
const openKind = 2
const fullKind = 3
const none = 0xffff_ffff
const subscriberHead = 1 + 4 + 4
const openHead = 1 + 4 + 4 + 4
const fullHead = 1 + 4 + 4

/**
 * `00 partition:4 block:4 hash`, `02 number:4 first:4 last:4 keys` of the open block, or `03 previous:4 next:4 keys` of a full one; keys are each
 * `length:4` and as many bytes, a first, last or previous of ffffffff is none.
 */
export const subscriptionRow: Serde<SubscriptionRow> = Object.freeze({
  format: 'subscription-row',
  primitive: false,
  serialize: serializeWith((row: SubscriptionRow, target: ByteTarget): void => {
    if (row.kind === 'subscriber') writeSubscriber(row, target)
    else if (row.kind === 'open') writeOpen(row, target)
    else writeFull(row, target)
  }),
  deserialize: deserializeWith((source: Buffer, start: number, end: number): SubscriptionRow => {
    const kind = start < end ? source[start] : undefined
    if (kind === subscriberKind && end - start >= subscriberHead) return readSubscriber(source, start, end)
    if (kind === openKind && end - start >= openHead) return readOpen(source, start, end)
    if (kind === fullKind && end - start >= fullHead) return readFull(source, start, end)
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
    kind: 'subscriber',
    hash: source.toString('latin1', start + subscriberHead, end),
    partition: source.readUInt32BE(start + 1),
    block: source.readUInt32BE(start + 5),
  }
}

function writeOpen({ number, first, last, keys }: OpenBlock, target: ByteTarget): void {
  const at = target.reserve(openHead)
  target.buffer[at] = openKind
  target.buffer.writeUInt32BE(number, at + 1)
  target.buffer.writeUInt32BE(first ?? none, at + 5)
  target.length = target.buffer.writeUInt32BE(last ?? none, at + 9)
  writeKeys(keys, target)
}

function readOpen(source: Buffer, start: number, end: number): OpenBlock {
  return {
    kind: 'open',
    number: source.readUInt32BE(start + 1),
    keys: readKeys(source, start, start + openHead, end),
    first: readNumber(source, start + 5),
    last: readNumber(source, start + 9),
  }
}

function writeFull({ previous, next, keys }: FullBlock, target: ByteTarget): void {
  const at = target.reserve(fullHead)
  target.buffer[at] = fullKind
  target.buffer.writeUInt32BE(previous ?? none, at + 1)
  target.length = target.buffer.writeUInt32BE(next, at + 5)
  writeKeys(keys, target)
}

function readFull(source: Buffer, start: number, end: number): FullBlock {
  return {
    kind: 'full',
    keys: readKeys(source, start, start + fullHead, end),
    previous: readNumber(source, start + 1),
    next: source.readUInt32BE(start + 5),
  }
}

function readNumber(source: Buffer, at: number): number | null {
  const number = source.readUInt32BE(at)
  return number === none ? null : number
}

function writeKeys(keys: readonly string[], target: ByteTarget): void {
  for (const key of keys) {
    const at = target.reserve(4 + key.length)
    target.buffer.writeUInt32BE(key.length, at)
    target.length = at + 4 + target.buffer.write(key, at + 4, 'latin1')
  }
}

/** @param start of the row. */
function readKeys(source: Buffer, start: number, keysStart: number, end: number): string[] {
  const keys: string[] = []
  for (let at = keysStart; at < end; ) {
    const from = at + 4
    const to = from > end ? Number.NaN : from + source.readUInt32BE(at)
    if (!(to <= end)) throw unreadable(end - start)
    keys.push(source.toString('latin1', from, to))
    at = to
  }
  return keys
}

function unreadable(length: number): StreamError {
  return new StreamError('DESERIALIZATION', `${length} bytes are no row of subscriptions`)
}
