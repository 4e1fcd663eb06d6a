/** What the input of a topology looks like, and random input of that shape: late, equal and far timestamps, few keys. */

import fc from 'fast-check'
import type { JsonRecord } from './record.ts'

export interface TopicShape {
  readonly topic: string
  readonly keys: fc.Arbitrary<string | null>
  /** null is a tombstone. */
  readonly values: fc.Arbitrary<unknown>
  /** How often it gets a record, next to the other topics. Default 1. */
  readonly weight?: number
}

export interface Shape {
  readonly topics: readonly TopicShape[]
  /** How far time moves from one record to the next, at most; one record in ten goes ten times as far. Default 10. */
  readonly stepMs?: number
  /** How late a record is, at most; three records in ten are, most of them half as much. An even number; default 100. */
  readonly lateMs?: number
}

/** The last one lets a timestamp take more than 32 bits. */
const starts = fc.constantFrom(0, 7, 1_700_000_000_123)
/** With 5, timestamps meet the bounds of windows often, if these are multiples of 5. */
const units = fc.constantFrom(1, 5, 5)
const headers = fc.oneof(
  { weight: 4, arbitrary: fc.constant([]) },
  {
    weight: 1,
    arbitrary: fc.array(fc.tuple(fc.constantFrom('trace', 'origin'), fc.constantFrom('', 'ü', '1')), { maxLength: 3 }),
  },
)

export function inputOf(shape: Shape, minLength = 1, maxLength = 200): fc.Arbitrary<readonly JsonRecord[]> {
  const { stepMs = 10, lateMs = 100 } = shape
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 6, arbitrary: fc.integer({ min: 0, max: stepMs }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 10 * stepMs }) },
  )
  const late = fc.oneof(
    { weight: 7, arbitrary: fc.constant(0) },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: lateMs / 2 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: lateMs }) },
  )
  const draft = fc.oneof(
    ...shape.topics.map(({ topic, keys, values, weight = 1 }) => ({
      weight,
      arbitrary: fc.record({ topic: fc.constant(topic), key: keys, value: values, step, late, headers }),
    })),
  )
  // Without bias the lengths are even: by itself fast-check prefers short arrays.
  return fc.noBias(
    fc.tuple(starts, units, fc.array(draft, { minLength, maxLength, size: 'max' })).map(([start, unit, drafts]) => {
      let now = start
      return drafts.map(({ step, late, ...record }) => {
        now += step
        const timestamp = Math.max(0, now - late)
        return { ...record, timestamp: timestamp - (timestamp % unit) }
      })
    }),
  )
}
