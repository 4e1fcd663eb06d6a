/** The record at hand as user code sees it: where it was read, and its timestamp and headers as they are at an operator. */

import { type Headers, noHeaders } from '../common/record.ts'
import type { RecordContext } from '../common/record-context.ts'
import type { CurrentRecord } from './processor.ts'

/** One object for all records of an operator, which sets timestamp and headers before it shows it. */
export class AtRecord implements RecordContext {
  timestamp = -1
  headers: Headers = noHeaders
  readonly #current: CurrentRecord

  constructor(current: CurrentRecord) {
    this.#current = current
  }

  get topic(): string | null {
    return this.#current.from?.topic ?? null
  }

  get partition(): number {
    return this.#current.from?.partition ?? -1
  }

  get offset(): number {
    return this.#current.record?.offset ?? -1
  }
}
