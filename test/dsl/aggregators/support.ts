/** Folds lists as the operators do: in one go, cut into sessions that are merged, and through the serde after each step. */

import fc from 'fast-check'
import { expect } from 'vitest'
import type { ReadyAggregator } from '../../../src/dsl/aggregators/ready.ts'

/** The aggregate of a list, each step read back from its bytes. */
export function folded<V, A>(ready: ReadyAggregator<V, A>, values: readonly V[]): A {
  let aggregate = ready.init()
  for (const value of values) {
    const before = structuredClone(aggregate)
    const next = ready.add(aggregate, value)
    expect(aggregate, 'the aggregate before is changed in place').toEqual(before)
    aggregate = ready.serde.deserialize(ready.serde.serialize(next))
  }
  return aggregate
}

/** That lists give what the model says, also when they were folded in parts, earliest first, as sessions are. */
export function expectModel<V, A>(
  ready: ReadyAggregator<V, A>,
  values: fc.Arbitrary<V>,
  model: (values: readonly V[]) => A,
): void {
  const parts = fc.array(fc.array(values, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(parts, (lists) => {
      const all = lists.flat()
      expect(folded(ready, all)).toEqual(model(all))
      const merged = lists
        .map((list) => folded(ready, list))
        .reduce((aggregate, other) => ready.merge(aggregate, other), ready.init())
      expect(merged).toEqual(model(all))
    }),
    { numRuns: 200 },
  )
}
