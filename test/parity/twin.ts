/** A topology that exists twice: here, and as the method of the same name in a class of test/parity/java. */

import type { StreamsBuilder } from 'streamctl'
import type { JsonRecord } from './record.ts'
import type { Shape } from './shape.ts'

export interface Twin {
  readonly input: Shape
  readonly build: (b: StreamsBuilder) => void
  /** Records of different keys have no order among each other: one update answers many keys at once. */
  readonly unordered?: true
}

/** What is compared of a topology's output: all of it in order, or the records of each key in order. */
export function comparable({ unordered }: Twin, output: readonly JsonRecord[]): unknown {
  return unordered === true ? Object.groupBy(output, ({ key }) => JSON.stringify(key)) : output
}

/** Twins by the name of the method. */
export type Family = Readonly<Record<string, Twin>>
