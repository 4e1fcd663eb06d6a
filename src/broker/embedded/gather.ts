/** Records on their way: appended without waiting, gathered per partition in order, taken all at once. */

import { StreamError } from '../../common/errors.ts'
import { recordOutput } from '../output.ts'
import type { Output } from '../port.ts'
import { type Run, recordBytes } from './batch.ts'

/** A run ends here, so that a reader of the disk never decodes much more than it was asked for. */
const runBytes = 256 * 1024

export interface Gathered {
  readonly topic: string
  readonly partition: number
  readonly runs: readonly Run[]
}

interface Lane {
  readonly topic: string
  readonly partition: number
  /** Empty between `take` and the next append. */
  runs: Run[]
  last: Run
}

const full: Run = Object.freeze({ records: [], bytes: Number.POSITIVE_INFINITY })

export interface GatherRules {
  /** Largest record of a topic. */
  maxRecordBytes(topic: string): number
  /** After every append, with what is gathered. */
  appended(bytes: number): void
  refused(error: StreamError): void
}

export class Gather {
  /** Bytes appended since the last `take`. */
  bytes = 0
  readonly #rules: GatherRules
  readonly #outputs = new Map<string, Output>()
  #touched: Lane[] = []

  constructor(rules: GatherRules) {
    this.#rules = rules
  }

  output(topic: string): Output {
    let output = this.#outputs.get(topic)
    if (output === undefined) {
      output = this.#open(topic)
      this.#outputs.set(topic, output)
    }
    return output
  }

  take(): readonly Gathered[] {
    const taken = this.#touched.map(({ topic, partition, runs }) => ({ topic, partition, runs }))
    for (const lane of this.#touched) {
      lane.runs = []
      lane.last = full
    }
    this.#touched = []
    this.bytes = 0
    return taken
  }

  #open(topic: string): Output {
    const lanes: Lane[] = []
    const limit = this.#rules.maxRecordBytes(topic)
    return recordOutput((partition, record) => {
      const size = recordBytes(record)
      if (size > limit) {
        this.#rules.refused(tooLarge(topic, partition, size, limit))
        return
      }
      let lane = lanes[partition]
      if (lane === undefined) {
        lane = { topic, partition, runs: [], last: full }
        lanes[partition] = lane
      }
      if (lane.last.bytes >= runBytes) this.#newRun(lane)
      lane.last.records.push(record)
      lane.last.bytes += size
      this.bytes += size
      this.#rules.appended(this.bytes)
    })
  }

  #newRun(lane: Lane): void {
    if (lane.runs.length === 0) this.#touched.push(lane)
    lane.last = { records: [], bytes: 0 }
    lane.runs.push(lane.last)
  }
}

function tooLarge(topic: string, partition: number, size: number, limit: number): StreamError {
  return new StreamError('PRODUCTION', `a record of ${size} bytes is too large for topic ${topic}: it takes ${limit}`, {
    hint: 'Raise max.message.bytes of the topic, or write smaller records.',
    where: { topic, partition },
  })
}
