/** A topology that exists twice: here, and as the method of the same name in a class of test/parity/java. */

import type { StreamsBuilder } from 'streamctl'
import type { Shape } from './shape.ts'

export interface Twin {
  readonly input: Shape
  readonly build: (b: StreamsBuilder) => void
}

/** Twins by the name of the method. */
export type Family = Readonly<Record<string, Twin>>
