/** Recorded inputs with what Kafka Streams made of them, one file a topology, one record a line. */

import { join } from 'node:path'
import fc from 'fast-check'
import type { JsonRecord } from './record.ts'
import { inputOf, type Shape } from './shape.ts'

export interface Vector {
  readonly input: readonly JsonRecord[]
  /** Kafka Streams'. */
  readonly output: readonly JsonRecord[]
}

/** Without headers the last is left out. */
type Line = readonly [topic: string, key: unknown, value: unknown, timestamp: number, headers?: JsonRecord['headers']]

export const vectorDir = join(import.meta.dirname, 'vectors')

/** What is recorded: few and short inputs, always the same. */
export function vectorInputs(shape: Shape): readonly (readonly JsonRecord[])[] {
  return fc.sample(inputOf(shape, 40, 60), { seed: 1, numRuns: 3 })
}

export function vectorText(vectors: readonly Vector[]): string {
  const text = (records: readonly JsonRecord[]) => records.map((record) => JSON.stringify(lineOf(record))).join(',\n')
  const texts = vectors.map(({ input, output }) => `{"input":[\n${text(input)}\n],"output":[\n${text(output)}\n]}`)
  return `[${texts.join(',\n')}]\n`
}

export function readVectors(text: string): readonly Vector[] {
  const vectors = JSON.parse(text) as readonly { readonly [side in keyof Vector]: readonly Line[] }[]
  return vectors.map(({ input, output }) => ({ input: input.map(recordOf), output: output.map(recordOf) }))
}

function lineOf({ topic, key, value, timestamp, headers }: JsonRecord): Line {
  return headers.length === 0 ? [topic, key, value, timestamp] : [topic, key, value, timestamp, headers]
}

function recordOf([topic, key, value, timestamp, headers = []]: Line): JsonRecord {
  return { topic, key, value, timestamp, headers }
}
