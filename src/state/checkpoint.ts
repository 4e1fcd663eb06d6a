/**
 * The checkpoint row: how far each store's changelog is contained in the byte store. It is written in the same batch as the rows it
 * speaks of, so the two never disagree; a row that does not read counts as damage, never as a position.
 *
 *     key  00 "checkpoint"     value  crc32:4 (of what follows)  JSON, UTF-8
 */

import { crc32 } from 'node:zlib'
import type { ByteStore, ByteWrite } from './store.ts'

/** Of stores whose rows end with stream time: that time in ms, by the store's name; -1 before its first record. */
export type StreamTimes = Readonly<Record<string, number>>

export interface Checkpoint {
  /** Number of the commit that wrote it, from 1. */
  readonly seq: number
  /** Per store: the changelog offset up to which (exclusive) the byte store holds it. */
  readonly offsets: Readonly<Record<string, number>>
  /** At that commit. */
  readonly streamTimes: StreamTimes
  /** Identifies the topology that wrote the rows. */
  readonly topology: string
}

export type StoredCheckpoint =
  | { readonly kind: 'absent' }
  | { readonly kind: 'damaged'; readonly reason: string }
  | { readonly kind: 'present'; readonly checkpoint: Checkpoint }

const version = 1

/** No store row has this key: theirs open with the store's name, which is never empty. */
export const checkpointKey = Buffer.from('\0checkpoint', 'utf8')

export function checkpointWrite(checkpoint: Checkpoint): ByteWrite {
  const { seq, offsets, streamTimes, topology } = checkpoint
  const json = Buffer.from(JSON.stringify({ version, seq, offsets, streamTimes, topology }), 'utf8')
  const value = Buffer.allocUnsafe(4 + json.length)
  value.writeUInt32BE(crc32(json), 0)
  value.set(json, 4)
  return { key: checkpointKey, value }
}

export function readCheckpoint(bytes: ByteStore): StoredCheckpoint {
  const value = bytes.get(checkpointKey)
  if (value === undefined) return { kind: 'absent' }
  const json = value.subarray(4)
  if (value.length < 4 || value.readUInt32BE(0) !== crc32(json)) return damaged('its checksum does not match')
  let parsed: unknown
  try {
    parsed = JSON.parse(json.toString('utf8'))
  } catch {
    return damaged('it is not JSON')
  }
  if (!isObject(parsed)) return damaged('it is not an object')
  if (parsed.version !== version) return damaged(`its version is ${String(parsed.version)}, not ${version}`)
  const { seq, offsets, streamTimes, topology } = parsed
  if (!isPosition(seq) || typeof topology !== 'string' || !isNumbers(offsets, 0) || !isNumbers(streamTimes, -1)) {
    return damaged('its fields are not of their types')
  }
  return { kind: 'present', checkpoint: { seq, offsets, streamTimes, topology } }
}

/** The first keys and the end of all, as a store of rows has them. */
const first = Buffer.alloc(0)
const end = Buffer.alloc(300, 0xff)

/**
 * The checkpoint that the rows of `bytes` are those of, null where there are none; or, in words, why they cannot be trusted.
 * @param isNoRow keys besides that of the checkpoint that are none of rows.
 */
export async function trustedCheckpoint(
  bytes: ByteStore,
  isNoRow: (key: Buffer) => boolean = () => false,
): Promise<Checkpoint | null | string> {
  const stored = readCheckpoint(bytes)
  if (stored.kind === 'present') return stored.checkpoint
  if (stored.kind === 'damaged') return `its checkpoint does not read: ${stored.reason}`
  for await (const [key] of bytes.scan(first, end)) {
    if (!isNoRow(key)) return 'it holds rows without a checkpoint'
  }
  return null
}

/** Deletes every row, and the checkpoint. */
export function deleteAll(bytes: ByteStore): Promise<void> {
  return bytes.deleteRange(first, end)
}

function damaged(reason: string): StoredCheckpoint {
  return { kind: 'damaged', reason }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isPosition(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isNumbers(value: unknown, least: number): value is Record<string, number> {
  return (
    isObject(value) &&
    Object.values(value).every((number) => Number.isSafeInteger(number) && (number as number) >= least)
  )
}
