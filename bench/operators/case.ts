/** What of an operator is measured: a small topology around it, over records whose serdes cost next to nothing. */

import { double, type StreamsBuilder, string, topic } from '../../src/index.ts'
import type { InputRecord } from '../workload.ts'

export interface OperatorCase {
  /** As docs/operators.md has it, with its class where several have one of that name. */
  readonly name: string
  readonly build: (b: StreamsBuilder) => void
  /** What is read: `numbers`; `both` topics, a record of one and a record of the other in turns; or `numbers` with a row of `others` for each key before. */
  readonly reads?: 'numbers' | 'both' | 'table first'
  /** The case that has all of it but the operator. Default `stream`: reading alone. */
  readonly over?: string
}

/** An operator over two widths of a window that differ in how much state lies in it and not in what a record meets there. */
export interface WidthCase {
  readonly name: string
  /** What is the same at both widths. */
  readonly summary: string
  /** ms. */
  readonly narrow: number
  readonly wide: number
  readonly build: (b: StreamsBuilder, widthMs: number) => void
  readonly reads?: 'numbers' | 'both'
  /** Event time between two records, ms. Default 1. */
  readonly stepMs?: number
}

export const numbers = topic('numbers', { key: string, value: double })
export const others = topic('others', { key: string, value: double })
export const results = topic('results', { key: string, value: double })

/** Of `OperatorCase`; a `WidthCase` has one key, the hottest there can be. */
export const keyCount = 1000

const startMs = 1_767_225_600_000

/** The record with this number, from 0; keys follow a fixed pseudo-random order. */
export function numberRecord(number: number, keys: number, stepMs: number): InputRecord {
  const key = keys === 1 ? 0 : (Math.imul(number, 2654435761) >>> 0) % keys
  return { key: keyBytes(key), value: double.serialize(number % 100), timestamp: startMs + number * stepMs }
}

/** The row of a key in a table that is there before. */
export function rowRecord(key: number): InputRecord {
  return { key: keyBytes(key), value: double.serialize(key), timestamp: startMs }
}

function keyBytes(key: number): Buffer {
  return Buffer.from(`key-${String(key).padStart(5, '0')}`)
}
