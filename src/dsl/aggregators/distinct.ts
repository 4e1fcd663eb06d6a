/** An aggregator that counts different values without keeping them. */

import { type ByteTarget, deserializeWith, serializeWith } from '../../common/bytes.ts'
import { StreamError } from '../../common/errors.ts'
import {
  estimateOf,
  leastPrecision,
  merged,
  mostPrecision,
  noRegisters,
  type Registers,
  withText,
} from '../../common/hyper-log-log.ts'
import type { Serde } from '../../serde/serde.ts'
import type { ReadyAggregator } from './ready.ts'

/** What `approxCountDistinct` keeps. It never changes. */
export class Distinct {
  /** For the aggregator and its serde. */
  readonly registers: Registers
  #estimate: number | undefined

  constructor(registers: Registers) {
    this.registers = registers
  }

  /** Different values, about: a whole number. */
  get estimate(): number {
    this.#estimate ??= Math.round(estimateOf(this.registers))
    return this.#estimate
  }

  toJSON(): { readonly estimate: number } {
    return { estimate: this.estimate }
  }
}

export interface DistinctOptions {
  /**
   * 4 to 16. The estimate is within 1.04 / sqrt(2^precision) in two of three cases, 1.6 % at the default of 12; a row takes up to 2^precision bytes, 4 KiB at
   * the default, and in the store no more than three a value while they are few.
   */
  readonly precision?: number
}

/**
 * How many different values there were, about (HyperLogLog); of sessions that become one, in both. `of` gives what is counted: values are
 * the same when their texts are; null is not counted. What is neither text, number, bigint nor boolean fails the record with PROCESSING.
 * @example visits.groupByKey().windowedBy(hourly).aggregate('visitors', approxCountDistinct(visit => visit.userId))
 * @throws StreamError INVALID_ARGUMENT for a precision that is no whole number from 4 to 16.
 */
export function approxCountDistinct<V>(
  of: (value: V) => string | number | bigint | boolean | null,
  { precision = 12 }: DistinctOptions = {},
): ReadyAggregator<V, Distinct> {
  if (!(Number.isSafeInteger(precision) && precision >= leastPrecision && precision <= mostPrecision)) {
    throw new StreamError('INVALID_ARGUMENT', `approxCountDistinct: precision is ${String(precision)}`, {
      hint: `Give precision a whole number from ${leastPrecision} to ${mostPrecision}.`,
    })
  }
  const none = new Distinct(noRegisters(precision))
  return Object.freeze({
    init: () => none,
    add: (seen: Distinct, value: V) => {
      const one = of(value)
      if (one === null) return seen
      const registers = withText(seen.registers, textOf(one))
      return registers === seen.registers ? seen : new Distinct(registers)
    },
    merge: (seen: Distinct, other: Distinct) => new Distinct(merged(seen.registers, other.registers)),
    serde: distinctSerde(precision),
  })
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  throw new TypeError(`approxCountDistinct was given ${typeof value}, not a string, number, bigint, boolean or null`)
}

const version = 1
const headBytes = 3
const [sparse, dense] = [0, 1]
const pairBytes = 3

/** `version:1 precision:1`, then `00` and `place:2 run:1` of each register that is not 0, or, where that is no longer, `01` and all registers. */
function distinctSerde(precision: number): Serde<Distinct> {
  const size = 2 ** precision
  return Object.freeze({
    format: `distinct(${precision})`,
    primitive: false,
    serialize: serializeWith(({ registers }: Distinct, target: ByteTarget): void => {
      const used = registers.reduce((count, run) => (run === 0 ? count : count + 1), 0)
      const isSparse = used * pairBytes < size
      const at = target.reserve(headBytes + (isSparse ? used * pairBytes : size))
      const { buffer } = target
      buffer[at] = version
      buffer[at + 1] = precision
      buffer[at + 2] = isSparse ? sparse : dense
      let end = at + headBytes
      if (isSparse) {
        for (let place = 0; place < size; place++) {
          const run = registers[place] as number
          if (run === 0) continue
          end = buffer.writeUInt16BE(place, end)
          buffer[end++] = run
        }
      } else {
        buffer.set(registers, end)
        end += size
      }
      target.length = end
    }),
    deserialize: deserializeWith((source: Buffer, start: number, end: number): Distinct => {
      const from = start + headBytes
      const kind = source[start + 2]
      const known = source[start] === version && source[start + 1] === precision
      if (known && kind === dense && end - from === size)
        return new Distinct(Uint8Array.from(source.subarray(from, end)))
      if (!known || kind !== sparse || from > end || (end - from) % pairBytes !== 0) {
        throw new StreamError('DESERIALIZATION', `${end - start} bytes are no distinct count of precision ${precision}`)
      }
      const registers = noRegisters(precision)
      for (let at = from; at < end; at += pairBytes) registers[source.readUInt16BE(at)] = source[at + 2] as number
      return new Distinct(registers)
    }),
  })
}
