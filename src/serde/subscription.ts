/** The bytes of what the two sides of a foreign-key join tell each other through their topics. */

import { type ByteTarget, byteText, deserializeWith, readerOf, serializeWith, writerOf } from '../common/bytes.ts'
import { StreamError } from '../common/errors.ts'
import { type Instruction, instructions, type Subscription, type SubscriptionResponse } from '../common/subscription.ts'
import type { AnySerde, Serde } from './serde.ts'

const hashBytes = 8
const hashFlag = 0x80
const valueFlag = 0x40
const quietFlag = 0x20

/** Keys that are texts of one character a byte: looked up in memory as they are. */
export const textKey: Serde<string> = Object.freeze({ format: 'bytes', ...byteText })

/** `flags:1 [hash:8] partition:4 key`, where the lowest two bits of the flags are the instruction. */
export const subscription: Serde<Subscription> = Object.freeze({
  format: 'subscription',
  primitive: false,
  serialize: serializeWith(({ instruction, hash, key, partition }: Subscription, target: ByteTarget): void => {
    writeHead(instructions.indexOf(instruction), hash, target)
    const at = target.reserve(4 + key.length)
    target.buffer.writeUInt32BE(partition, at)
    target.length = at + 4 + target.buffer.write(key, at + 4, 'latin1')
  }),
  deserialize: deserializeWith((source: Buffer, start: number, end: number): Subscription => {
    const { flags, hash, at } = readHead(source, start, end)
    const instruction = instructions[flags & ~hashFlag] as Instruction | undefined
    if (instruction === undefined || at + 4 > end) throw unreadable(end - start, 'subscription')
    return { instruction, hash, partition: source.readUInt32BE(at), key: source.toString('latin1', at + 4, end) }
  }),
})

/** `flags:1 [hash:8] [value]`. */
export function responseOf<V>(inner: Serde<V>): Serde<SubscriptionResponse<V>> {
  const write = writerOf(inner)
  const read = readerOf(inner)
  const { fingerprint, prepare, open } = inner as AnySerde
  return Object.freeze({
    format: `response(${inner.format})`,
    primitive: false,
    serialize: serializeWith(({ hash, value, quiet }: SubscriptionResponse<V>, target: ByteTarget): void => {
      writeHead(value !== null ? valueFlag : quiet ? quietFlag : 0, hash, target)
      if (value !== null) write(value, target)
    }),
    deserialize: deserializeWith((source: Buffer, start: number, end: number): SubscriptionResponse<V> => {
      const { flags, hash, at } = readHead(source, start, end)
      const rest = flags & ~hashFlag
      if (rest === 0 && at === end) return { hash, value: null, partition: -1 }
      if (rest === quietFlag && at === end) return { hash, value: null, quiet: true, partition: -1 }
      if (rest !== valueFlag) throw unreadable(end - start, 'response')
      return { hash, value: read(source, at, end), partition: -1 }
    }),
    ...(fingerprint !== undefined && { fingerprint }),
    ...(prepare && { prepare: (batch: readonly Buffer[]) => prepare(batch.flatMap(innerBytes)) }),
    ...(open && { open }),
  })
}

function writeHead(flags: number, hash: string | null, target: ByteTarget): void {
  const at = target.reserve(1 + hashBytes)
  target.buffer[at] = hash === null ? flags : flags | hashFlag
  target.length = at + 1
  if (hash !== null) target.length += target.buffer.write(hash, at + 1, 'latin1')
}

interface Head {
  readonly flags: number
  readonly hash: string | null
  /** Where it ends. */
  readonly at: number
}

function readHead(source: Buffer, start: number, end: number): Head {
  const flags = start < end ? (source[start] as number) : -1
  if (flags >= 0 && (flags & hashFlag) === 0) return { flags, hash: null, at: start + 1 }
  const at = start + 1 + hashBytes
  if (flags < 0 || at > end) throw unreadable(end - start, 'foreign-key message')
  return { flags, hash: source.toString('latin1', start + 1, at), at }
}

function unreadable(length: number, what: string): StreamError {
  return new StreamError('DESERIALIZATION', `${length} bytes are no ${what}`)
}

function innerBytes(bytes: Buffer): readonly Buffer[] {
  const flags = bytes[0] ?? 0
  const at = (flags & hashFlag) === 0 ? 1 : 1 + hashBytes
  return (flags & valueFlag) !== 0 && at <= bytes.length ? [bytes.subarray(at)] : []
}
