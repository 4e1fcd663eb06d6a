/** The port below every store: the ordered bytes of one task. LevelDB and memory stand behind it, and what users bring themselves. */

export interface ByteWrite {
  readonly key: Buffer
  /** null deletes. */
  readonly value: Buffer | null
}

export type ByteRow = readonly [key: Buffer, value: Buffer]

/** The bytes of a task as they were at one moment; reading them keeps no thread. */
export interface ByteSnapshot {
  /** The value of a key; undefined where there was none. Rejects when the store was closed. */
  get(key: Buffer): Promise<Buffer | undefined>
  /** Rows with keys in [from, to), in order, or the other way round. Rejects when the store was closed. */
  scan(from: Buffer, to: Buffer, backward?: boolean): AsyncIterable<ByteRow>
  /** Called once, also after the store was closed. */
  close(): Promise<void>
}

/**
 * Ordered bytes of one task: keys compare byte by byte, as unsigned numbers, and a key is before those that it begins (`Buffer.compare`). What they
 * mean is not the store's concern: codings of rows, changelogs, transactions and restoring are done above it. Only what is committed is written here.
 *
 * What it has to keep true:
 *
 * - A `write` is whole or not there at all, also after a crash in the middle of it. Rows come with the checkpoint that says up to which offset of the
 *   changelog they go, in one write: a store that keeps the one without the other loses or repeats records.
 * - A crash may take the last of its changes, but none before one that stays: what is found at the next opening is what some number of the first
 *   `write`s and `deleteRange`s made. Nothing is fine too: it is restored from the changelog then. So no change has to wait for the disk.
 * - Buffers that it is given are the caller's again once the promise resolves, and those that it gives are the caller's: it copies what it keeps.
 *
 * One `write` or `deleteRange` is under way at a time; reads come meanwhile, and see a row as it is before or after. What it throws or rejects with ends the
 * application (PROCESSING), and at the next start the state goes on from its checkpoint.
 */
export interface ByteStore {
  /** The value of a key; undefined where there is none. Synchronous, since records are processed without waiting: rows that are far away need a copy here. */
  get(key: Buffer): Buffer | undefined
  /** All or nothing; in order, so that of several writes to one key the last counts. May be empty. Resolves when reads see it. */
  write(writes: readonly ByteWrite[]): Promise<void>
  /** Deletes keys in [from, to), none where `to` is not after `from`. Resolves when reads see it. */
  deleteRange(from: Buffer, to: Buffer): Promise<void>
  /** Rows with keys in [from, to), in order, as they are when the first is asked for, whatever is written meanwhile. It may be left early. */
  scan(from: Buffer, to: Buffer): AsyncIterable<ByteRow>
  /** The rows of this moment, to be read whatever is written later. Whoever takes it closes it. */
  snapshot(): ByteSnapshot
  /** About how many bytes on disk the keys in [from, to) take, for display; null, or no such function, where that is not known. */
  diskBytes?(from: Buffer, to: Buffer): Promise<number | null>
  /** Called once, when nothing is being written; snapshots may be open. Rows may stay, for the next opening. */
  close(): Promise<void>
}
