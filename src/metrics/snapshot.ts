/** What the engine says of itself, once a second: plain numbers, from which every view (terminal, JSON, status line) is made. */

/** `restoring` is never shown as `running`. */
export type AppState =
  | 'starting'
  | 'rebalancing'
  | 'restoring'
  | 'running'
  | 'recovering'
  | 'draining'
  | 'stopped'
  | 'failed'

export type TaskState = 'created' | 'restoring' | 'running' | 'suspended' | 'closed'

export interface ProcessorSnapshot {
  readonly id: number
  readonly name: string
  /** Node kind of the topology: `source`, `filter`, `aggregate`, ... */
  readonly kind: string
  readonly subTopology: number
  /** Ids of the processors that feed this one. */
  readonly parents: readonly number[]
  /** Topic read or written, for sources, sinks and repartitions. */
  readonly topic: string | null
  /** Store used, if any. */
  readonly store: string | null
  /** Records passed on since the start (records written, for sinks). */
  readonly records: number
}

export interface InputSnapshot {
  readonly topic: string
  readonly partition: number
  /** Next offset to process. */
  readonly position: number
  readonly committed: number | null
  /** Last stable offset as last heard from the broker. */
  readonly stableEnd: number
  /** Records still to come, markers that trail the position included in neither. */
  readonly lag: number
}

export interface RestoreProgress {
  readonly store: string
  /** Changelog offsets done and to do. */
  readonly done: number
  readonly total: number
}

export interface TaskSnapshot {
  /** `<sub-topology>_<partition>` */
  readonly id: string
  readonly state: TaskState
  readonly inputs: readonly InputSnapshot[]
  /** Records processed since the start. */
  readonly records: number
  /** Highest record timestamp seen, ms; -1 before the first. */
  readonly streamTime: number
  readonly restore: readonly RestoreProgress[]
  /** Rows held in memory by this task's stores. */
  readonly cachedRows: number
}

/** A copy of the state of a task that another process runs. */
export interface StandbySnapshot {
  /** Of the task. */
  readonly id: string
  /** Committed changelog offsets still to come, as last heard from the broker. */
  readonly lag: number
}

export interface StoreSnapshot {
  readonly name: string
  /** As the topology names it: `key-value`, `window`, ... */
  readonly kind: string
  /** Tasks that hold a part of it here. */
  readonly tasks: number
  readonly cachedRows: number
  /** Bytes on disk, null when not known or in memory. */
  readonly diskBytes: number | null
  readonly restored: number
  readonly restoreTotal: number
}

export interface Snapshot {
  /** ms since the epoch. */
  readonly at: number
  readonly app: string
  readonly broker: string
  readonly state: AppState
  /** ms since start, by a monotonic clock. */
  readonly uptimeMs: number
  readonly recordsIn: number
  readonly recordsOut: number
  readonly lag: number
  readonly processors: readonly ProcessorSnapshot[]
  readonly tasks: readonly TaskSnapshot[]
  readonly standbys: readonly StandbySnapshot[]
  readonly stores: readonly StoreSnapshot[]
  readonly commits: {
    readonly count: number
    readonly aborted: number
    /** Duration of the last commit in ms. */
    readonly lastMs: number
    readonly rebalances: number
  }
  readonly errors: {
    readonly deadLetters: number
    /** Records dropped, by reason. */
    readonly dropped: Readonly<Record<string, number>>
    /** Most recent error or warning, at most one line. */
    readonly last: string | null
  }
}
