/** What a user's processor is given besides its record, and when it is called without one. */

import { type Headers, noHeaders } from '../common/record.ts'
import type { RecordContext } from '../common/record-context.ts'
import type { Clock } from '../common/time.ts'
import type { KeyValueStore } from '../state/store.ts'
import type { Moment } from './moment.ts'
import type { CurrentRecord, View } from './processor.ts'
import { processorStore, processorTable } from './processor-store.ts'
import type { PunctuationType, Schedule } from './punctuation.ts'

export interface Surroundings {
  readonly stores: Readonly<Record<string, KeyValueStore<unknown, unknown>>>
  readonly tables: Readonly<Record<string, View>>
  readonly app: string
  readonly task: string
  readonly current: CurrentRecord
  readonly streamTime: () => number
  readonly clock: Clock
}

export interface Punctuated {
  readonly punctuators: readonly {
    readonly type: PunctuationType
    readonly everyMs: number
    readonly punctuate: (timestamp: number, context: unknown) => unknown
  }[]
  readonly schedule: Schedule
}

export function schedulePunctuators({ punctuators, schedule }: Punctuated, moment: Moment, context: unknown): void {
  for (const { type, everyMs, punctuate } of punctuators) {
    schedule(type, everyMs, (time) => {
      moment.open(false, null, time, noHeaders)
      let result: unknown
      try {
        result = punctuate(time, context)
      } catch (thrown) {
        throw moment.failed(thrown)
      }
      moment.close(result)
    })
  }
}

/** What the user's functions see. One object, whatever the record: it shows the moment. */
export class ProcessingContext implements RecordContext {
  readonly stores: Readonly<Record<string, unknown>>
  readonly tables: Readonly<Record<string, unknown>>
  readonly applicationId: string
  readonly taskId: string
  /** Own properties, so that they can be taken out of the context. */
  readonly forward: unknown
  readonly #moment: Moment
  readonly #surroundings: Surroundings

  constructor(surroundings: Surroundings, moment: Moment, forward?: unknown) {
    const { stores, tables, app, task } = surroundings
    const each = <T, R>(given: Readonly<Record<string, T>>, make: (one: T, name: string, moment: Moment) => R) =>
      Object.freeze(Object.fromEntries(Object.entries(given).map(([name, one]) => [name, make(one, name, moment)])))
    this.stores = each(stores, processorStore)
    this.tables = each(tables, processorTable)
    this.applicationId = app
    this.taskId = task
    this.forward = forward
    this.#moment = moment
    this.#surroundings = surroundings
    Object.freeze(this)
  }

  get topic(): string | null {
    return this.#moment.topic
  }

  get partition(): number {
    return this.#moment.partition
  }

  get offset(): number {
    return this.#moment.offset
  }

  get timestamp(): number {
    return this.#moment.timestamp
  }

  get headers(): Headers {
    return this.#moment.headers
  }

  get currentStreamTimeMs(): number {
    return this.#surroundings.streamTime()
  }

  get currentSystemTimeMs(): number {
    return this.#surroundings.clock()
  }
}
