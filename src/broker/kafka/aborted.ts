/**
 * Which batches of a fetch response belong to aborted transactions, by the rule of the Java consumer
 * (org.apache.kafka.clients.consumer.internals.CompletedFetch): batches are shown to it in log order, none left out.
 */

import { controlType } from './record-batch/decode.ts'
import { attribute, type BatchHeader, type BatchOrigin } from './record-batch/layout.ts'

/** An aborted transaction that overlaps the response, as the broker lists it. */
export interface AbortedTransaction {
  readonly producerId: number
  /** Of the transaction in this partition. */
  readonly firstOffset: number
}

const abortMarker = 0

/** One per response and partition: the next response lists again what is still open. */
export class AbortedFilter {
  readonly #due: readonly AbortedTransaction[]
  #next = 0
  readonly #aborting = new Set<number>()

  constructor(aborted: readonly AbortedTransaction[]) {
    // The broker lists transactions in the order in which they ended.
    this.#due = aborted.length < 2 ? aborted : [...aborted].sort((a, b) => a.firstOffset - b.firstOffset)
  }

  /** Whether the batch is to be left out. A control batch is never data, whatever this says. */
  drops(batch: BatchHeader, set: Buffer, origin: BatchOrigin): boolean {
    const { producerId, attributes, lastOffset } = batch
    if (producerId < 0) return false
    for (
      let due = this.#due[this.#next];
      due !== undefined && due.firstOffset <= lastOffset;
      due = this.#due[this.#next]
    ) {
      this.#aborting.add(due.producerId)
      this.#next++
    }
    if ((attributes & attribute.control) !== 0) {
      if (controlType(set, batch, origin) === abortMarker) this.#aborting.delete(producerId)
      return true
    }
    return (attributes & attribute.transactional) !== 0 && this.#aborting.has(producerId)
  }
}
