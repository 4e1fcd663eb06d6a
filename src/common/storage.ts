/** Where a store keeps its rows: on disk, in memory, or with a supplier of the user's. */

import type { ByteStore } from './byte-store.ts'

/** Whose bytes a supplier is asked for. */
export interface StoreContext {
  /** Application id. */
  readonly appId: string
  /** `<sub-topology>_<partition>` */
  readonly task: string
  /**
   * A directory for the files of this supplier and this task, there already (mode 0700) and held by this process alone. null where the
   * application has no state directory: the embedded broker in memory, a test driver without `stateDir`.
   */
  readonly dir: string | null
}

/**
 * Makes the byte stores that rows are kept in (Kafka Streams: StoreSupplier, DslStoreSuppliers). Give it as the `storage` of a store, or as that of
 * `defineTopology` for all of them. Stores of a task with one supplier share one byte store, and one checkpoint in it.
 * @example
 * const ours: StoreSupplier = { name: 'ours', open: ({ task }) => new OurByteStore(task) }
 * grouped.count('totals', { storage: ours })
 */
export interface StoreSupplier {
  /** Shown by `graph`, and kept in the lock file. 1 to 249 of the characters a-z A-Z 0-9 . _ -; not `disk` or `memory`. Two suppliers of a topology have two names. */
  readonly name: string
  /**
   * The bytes of a task: those that the task had here before, or none. They must be this process' own, and no other task's: for a moment two
   * processes can have the same task, when one does not know yet that it was given away. What it throws or rejects with ends the application.
   */
  open(context: StoreContext): ByteStore | Promise<ByteStore>
}

/** `disk`: LevelDB in the state directory. `memory` keeps no file: the whole changelog is read again at every start. */
export type Storage = 'disk' | 'memory' | StoreSupplier

/** As people and lock files read it. */
export function storageName(storage: Storage): string {
  return typeof storage === 'string' ? storage : storage.name
}
