/** Global tables: all rows of a topic in every engine, for streams to look up under any key (Kafka Streams: GlobalKTable). */

import type { GlobalTableState } from '../stream-state.ts'

/** The last value of each key of a topic, whole in every engine. It is there to be joined: `stream.join(global, selector, joiner)`. */
export class GlobalKTable<in out K, out V> {
  readonly #state: GlobalTableState
  /** For the compiler alone: a key of another type is no key of this table. */
  declare protected readonly types: { readonly key: (key: K) => K; readonly value: V }

  /** For the builder: a global table comes from `b.globalTable(topic, { store })`. */
  constructor(state: GlobalTableState) {
    this.#state = state
  }

  /** For the facade alone: what the table stands for. */
  static stateOf<K, V>(table: GlobalKTable<K, V>): GlobalTableState {
    return table.#state
  }
}
