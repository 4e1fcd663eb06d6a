/**
 * Transactions by transactional id. The holder of the newest epoch writes; taking an id over fences the holder before it
 * and ends its open transaction, one way or the other. A commit is one journal write: batches, ends of logs and offsets.
 */

import { StreamError } from '../../common/errors.ts'
import { partitionName } from '../../common/record.ts'
import type { Clock } from '../../common/time.ts'
import type { OffsetCommit } from '../port.ts'
import type { Batch } from './batch.ts'
import type { Gathered } from './gather.ts'
import type { GroupCoordinator } from './groups.ts'
import type { Journal, JournalEntry } from './journal.ts'
import type { PartitionLog } from './log.ts'
import type { TopicRegistry } from './topics.ts'

interface Transaction {
  readonly batches: Map<PartitionLog, Batch[]>
  /** By partition: offset after the last record appended. */
  readonly next: Map<string, number>
  readonly deadline: number
}

interface TransactionalId {
  readonly name: string
  epoch: number
  open: Transaction | null
  /** The open transaction is on its way to disk: decided, and no longer to be aborted. */
  ending: Promise<void> | null
}

/** Proof of having taken a transactional id; void as soon as somebody else takes it. */
export interface Holder {
  readonly id: TransactionalId
  readonly epoch: number
  readonly timeoutMs: number
}

export class TransactionCoordinator {
  readonly #ids = new Map<string, TransactionalId>()
  readonly #open = new Set<TransactionalId>()
  readonly #topics: TopicRegistry
  readonly #groups: GroupCoordinator
  readonly #journal: Journal
  readonly #clock: Clock

  constructor(topics: TopicRegistry, groups: GroupCoordinator, journal: Journal, clock: Clock) {
    this.#topics = topics
    this.#groups = groups
    this.#journal = journal
    this.#clock = clock
    for (const { transactionalId, epoch } of journal.stored.epochs) this.#id(transactionalId).epoch = epoch
  }

  async take(transactionalId: string, timeoutMs: number): Promise<Holder> {
    const id = this.#id(transactionalId)
    const epoch = ++id.epoch
    while (id.ending !== null || id.open !== null) await (id.ending ?? this.#abort(id))
    await this.#journal.write([{ kind: 'epoch', transactionalId, epoch }], () => {})
    return { id, epoch, timeoutMs }
  }

  /** Writes into the log, visible to uncommitted readers only. @throws StreamError FENCED, TOPIC_MISSING. */
  append(holder: Holder, gathered: readonly Gathered[]): void {
    this.#check(holder)
    const runs = gathered.map((one) => ({ ...one, log: this.#topics.log(one.topic, one.partition) }))
    if (runs.length === 0) return
    holder.id.open ??= { batches: new Map(), next: new Map(), deadline: this.#clock() + holder.timeoutMs }
    this.#open.add(holder.id)
    const { batches, next } = holder.id.open
    for (const { log, runs: appended } of runs) {
      const written = log.append(holder.id.open, appended)
      const earlier = batches.get(log)
      if (earlier === undefined) batches.set(log, written)
      else earlier.push(...written)
      next.set(partitionName(log.topic, log.partition), log.end)
    }
  }

  /** @throws StreamError FENCED (by id or by generation), TOPIC_MISSING, INVALID_ARGUMENT, UNKNOWN_OUTCOME. */
  async commit(
    holder: Holder,
    gathered: readonly Gathered[],
    commit: OffsetCommit | null,
  ): Promise<ReadonlyMap<string, number>> {
    this.#check(holder)
    const { id } = holder
    const offsets = commit?.offsets ?? []
    if (commit !== null) this.#checkOffsets(commit)
    this.append(holder, gathered)
    const transaction = id.open
    const entries = transaction === null ? [] : endEntries(transaction, true)
    for (const offset of offsets) entries.push({ kind: 'offset', groupId: commit?.group.groupId ?? '', offset })
    const group = commit === null ? null : this.#groups.group(commit.group.groupId)
    const ended = this.#end(id, entries, () => group?.offsets.apply(offsets))
    group?.offsets.await(offsets, ended)
    await ended
    return transaction?.next ?? new Map()
  }

  /** Ends what the holder has open, unless it is no longer its own. */
  async abort(holder: Holder): Promise<void> {
    const { id, epoch } = holder
    if (id.epoch !== epoch) return
    id.epoch++
    if (id.open !== null && id.ending === null) await this.#abort(id)
  }

  /** Aborts transactions open for longer than their timeout and fences their holders, as the coordinator of Kafka does. */
  expire(): void {
    if (this.#open.size === 0) return
    const now = this.#clock()
    for (const id of this.#open) {
      if (id.open === null || id.ending !== null || id.open.deadline > now) continue
      id.epoch++
      // A journal that fails refuses the next write too, and that one has a caller.
      this.#abort(id).catch(() => {})
    }
  }

  #abort(id: TransactionalId): Promise<void> {
    if (id.open === null) return Promise.resolve()
    for (const [log, batches] of id.open.batches) log.drop(batches)
    return this.#end(id, endEntries(id.open, false), () => {})
  }

  #end(id: TransactionalId, entries: readonly JournalEntry[], applied: () => void): Promise<void> {
    const transaction = id.open
    let isSettled = false
    const settled = (): void => {
      isSettled = true
      applied()
      id.ending = null
      id.open = null
      this.#open.delete(id)
      for (const log of transaction?.batches.keys() ?? []) log.settle(transaction as Transaction)
    }
    const ended = this.#journal.write(entries, settled)
    // In memory it has settled by now.
    if (!isSettled) id.ending = ended
    return ended
  }

  #check({ id, epoch }: Holder): void {
    if (id.epoch === epoch) return
    throw new StreamError('FENCED', `another producer took the transactional id ${id.name} over`, {
      hint: 'Drop the transaction; take the id again only if the work is still yours.',
    })
  }

  #checkOffsets(commit: OffsetCommit): void {
    this.#groups.check(commit)
    for (const { topic, partition, offset, metadata } of commit.offsets) {
      this.#topics.log(topic, partition)
      if (Buffer.byteLength(metadata) <= 4096) continue
      throw new StreamError('INVALID_ARGUMENT', 'the metadata of a committed offset has more than 4096 bytes', {
        hint: 'Store less beside the offset.',
        where: { topic, partition, offset },
      })
    }
  }

  #id(name: string): TransactionalId {
    let id = this.#ids.get(name)
    if (id === undefined) {
      id = { name, epoch: -1, open: null, ending: null }
      this.#ids.set(name, id)
    }
    return id
  }
}

/** The marker of each log, and what has to be on disk with it. An abort keeps the ends, so that no offset is given twice. */
function endEntries(transaction: Transaction, isCommit: boolean): JournalEntry[] {
  const entries: JournalEntry[] = []
  for (const [log, batches] of transaction.batches) {
    log.mark()
    if (isCommit) for (const batch of batches) entries.push({ kind: 'batch', log: log.id, batch })
    entries.push({ kind: 'end', log: log.id, end: log.end })
  }
  return entries
}
