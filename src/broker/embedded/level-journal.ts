/**
 * The journal on LevelDB: one atomic batch for all that waits, so a transaction is on disk whole or not at all.
 * A write is acknowledged when the operating system has it: it outlives kill -9 of the process, not a power cut.
 * Records are stored by the last offset of their batch and read by range scan; only each log's newest bytes stay in memory.
 */

import { ClassicLevel } from 'classic-level'
import { messageOf, StreamError } from '../../common/errors.ts'
import type { CommittedOffset } from '../port.ts'
import type { Batch } from './batch.ts'
import { decodeBatch, encodeBatch } from './batch-codec.ts'
import type { Journal, JournalEntry, Stored, StoredTopic } from './journal.ts'

const format = 1
const tailLimit = 1024 * 1024

type Level = ClassicLevel<Buffer, Buffer>
type Put = { readonly type: 'put'; readonly key: Buffer; readonly value: Buffer }

interface Waiting {
  readonly puts: Put[]
  readonly settled: (() => void)[]
  readonly done: PromiseWithResolvers<void>
}

/** @throws StreamError LOCKED when another process or broker holds `dir`, CORRUPT, INVALID_ARGUMENT when it cannot be opened. */
export async function openLevelJournal(dir: string): Promise<Journal> {
  const level: Level = new ClassicLevel(dir, { keyEncoding: 'buffer', valueEncoding: 'buffer' })
  try {
    await level.open()
  } catch (error) {
    throw openError(dir, error)
  }
  try {
    return new LevelJournal(level, await load(level, dir))
  } catch (error) {
    await level.close()
    throw error
  }
}

class LevelJournal implements Journal {
  readonly tailLimit = tailLimit
  readonly stored: Stored
  readonly #level: Level
  #waiting: Waiting | null = null
  #writing: Promise<void> | null = null
  #failure: StreamError | null = null

  constructor(level: Level, stored: Stored) {
    this.#level = level
    this.stored = stored
  }

  write(entries: readonly JournalEntry[], settled: () => void): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure)
    this.#waiting ??= { puts: [], settled: [], done: Promise.withResolvers() }
    for (const entry of entries) put(this.#waiting.puts, entry)
    this.#waiting.settled.push(settled)
    const { promise } = this.#waiting.done
    this.#writing ??= this.#drain()
    return promise
  }

  async #drain(): Promise<void> {
    // What is written in the same turn goes to disk together.
    await Promise.resolve()
    while (this.#waiting !== null) {
      const { puts, settled, done } = this.#waiting
      this.#waiting = null
      try {
        if (this.#failure !== null) throw this.#failure
        await this.#level.batch(puts)
        for (const run of settled) run()
        done.resolve()
      } catch (error) {
        this.#failure ??= new StreamError(
          'UNKNOWN_OUTCOME',
          `the embedded broker could not write to ${this.#level.location}: ${messageOf(error)}`,
          { cause: error, hint: 'Make room on the disk and start again; what was acknowledged is safe.' },
        )
        done.reject(this.#failure)
      }
    }
    this.#writing = null
  }

  async read(log: number, from: number, before: number, maxBytes: number): Promise<readonly Batch[]> {
    const batches: Batch[] = []
    let bytes = 0
    const range = { gte: recordKey(log, from), lt: recordKey(log, before), highWaterMarkBytes: maxBytes }
    for await (const value of this.#level.values(range)) {
      const batch = decodeBatch(value)
      batches.push(batch)
      bytes += batch.bytes
      if (bytes >= maxBytes) break
    }
    return batches
  }

  trim(log: number, offset: number): Promise<void> {
    return this.#level.clear({ gte: recordKey(log, 0), lt: recordKey(log, offset) })
  }

  async close(): Promise<void> {
    await this.#writing
    await this.#level.close()
  }
}

function put(puts: Put[], entry: JournalEntry): void {
  switch (entry.kind) {
    case 'batch': {
      if (entry.batch.records.length === 0) return
      puts.push({ type: 'put', key: recordKey(entry.log, entry.batch.last), value: encodeBatch(entry.batch) })
      return
    }
    case 'topic': {
      const { name, logs, configs } = entry.topic
      puts.push(putMeta(['topic', name], { logs: logs.map((log) => log.id), configs }))
      return
    }
    case 'end':
      puts.push(putMeta(['end', entry.log], entry.end))
      return
    case 'start':
      puts.push(putMeta(['start', entry.log], entry.start))
      return
    case 'epoch':
      puts.push(putMeta(['epoch', entry.transactionalId], entry.epoch))
      return
    case 'offset': {
      const { topic, partition, offset, metadata } = entry.offset
      puts.push(putMeta(['offset', entry.groupId, topic, partition], { offset, metadata }))
      return
    }
  }
}

function putMeta(key: readonly (string | number)[], value: unknown): Put {
  return { type: 'put', key: Buffer.from(`m${JSON.stringify(key)}`), value: Buffer.from(JSON.stringify(value)) }
}

function recordKey(log: number, offset: number): Buffer {
  const key = Buffer.allocUnsafe(13)
  key[0] = 0x72 // 'r', after every 'm'
  key.writeUInt32BE(log, 1)
  key.writeUInt32BE(Math.floor(offset / 0x1_0000_0000), 5)
  key.writeUInt32BE(offset % 0x1_0000_0000, 9)
  return key
}

async function load(level: Level, dir: string): Promise<Stored> {
  const topics: { name: string; logs: number[]; configs: Record<string, string> }[] = []
  const offsets: { groupId: string; offset: CommittedOffset }[] = []
  const epochs: { transactionalId: string; epoch: number }[] = []
  const starts = new Map<number, number>()
  const ends = new Map<number, number>()
  let found: number | null = null
  for await (const [key, bytes] of level.iterator({ gte: Buffer.from('m'), lt: Buffer.from('n') })) {
    const [kind, first, topic, partition] = JSON.parse(key.toString('utf8', 1))
    const value = JSON.parse(bytes.toString())
    if (kind === 'format') found = value
    else if (kind === 'topic') topics.push({ name: first, ...value })
    else if (kind === 'start') starts.set(first, value)
    else if (kind === 'end') ends.set(first, value)
    else if (kind === 'epoch') epochs.push({ transactionalId: first, epoch: value })
    else if (kind === 'offset') offsets.push({ groupId: first, offset: { topic, partition, ...value } })
  }
  if (found === null && topics.length === 0) await level.batch([putMeta(['format'], format)])
  else if (found !== format) {
    throw new StreamError('UNSUPPORTED_VERSION', `${dir} holds an embedded broker of format ${found}, not ${format}`, {
      hint: 'Use another directory, or the version of streamctl that wrote this one.',
    })
  }
  const withLogs = ({ name, logs, configs }: (typeof topics)[number]): StoredTopic => ({
    name,
    configs,
    logs: logs.map((id) => ({ id, start: starts.get(id) ?? 0, end: ends.get(id) ?? 0 })),
  })
  return { topics: topics.map(withLogs), offsets, epochs }
}

function openError(dir: string, error: unknown): StreamError {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  const code = (cause as { code?: unknown } | null)?.code
  if (code === 'LEVEL_LOCKED') {
    return new StreamError('LOCKED', `the embedded broker's directory ${dir} is in use by another process or broker`, {
      cause,
      hint: 'Stop the other streamctl, or give this one a directory of its own.',
    })
  }
  if (code === 'LEVEL_CORRUPTION') {
    return new StreamError('CORRUPT', `the embedded broker's directory ${dir} is damaged: ${messageOf(cause)}`, {
      cause,
      hint: 'Delete the directory, or restore it from a copy.',
    })
  }
  return new StreamError('INVALID_ARGUMENT', `${dir} cannot be opened for the embedded broker: ${messageOf(cause)}`, {
    cause,
    hint: 'Give a directory that can be written.',
  })
}
