/** Grouped streams that are folded into one table, each with an aggregator of its own. */

import { StreamError } from '../common/errors.ts'
import type { SourceLocation } from '../topology/node.ts'
import { callSite } from './call-site.ts'
import type { Grouping } from './grouping.ts'
import { invalid, requireSync } from './invalid.ts'
import { requireSameGraph, type UserFunction } from './stateless.ts'

export interface CogroupedInput {
  readonly grouping: Grouping
  readonly aggregator: UserFunction
  readonly site: SourceLocation | undefined
}

/** One or more, in the order they were given. */
export type Cogrouping = readonly [CogroupedInput, ...CogroupedInput[]]

const call = 'cogroup'

/** The given ones and one more. */
export function cogroup(before: readonly CogroupedInput[], grouping: Grouping, aggregator: UserFunction): Cogrouping {
  const site = callSite()
  requireSync(aggregator, 'aggregator', call, site)
  const [first] = before
  if (first === undefined) return [{ grouping, aggregator, site }]
  requireSameGraph(first.grouping, grouping, call, site)
  if (before.some((input) => input.grouping === grouping)) {
    throw invalid(
      'cogroup was given the same grouped stream twice',
      'Do both in one aggregator; or call groupByKey() again for a second one.',
      call,
      site,
    )
  }
  const { key } = first.grouping
  if (key.format !== grouping.key.format) {
    throw invalid(
      `cogroup brings together keys that are written as ${key.format} and as ${grouping.key.format}: those of one record are other bytes than those of the other, and lie in other partitions`,
      'Group both with the same key serde.',
      call,
      site,
    )
  }
  return [first, ...before.slice(1), { grouping, aggregator, site }]
}

/** All of them as what one fold takes: each input is a node, which the table's node follows. */
export function cogrouped(inputs: Cogrouping): Grouping {
  const { graph, key } = inputs[0].grouping
  return {
    graph,
    key,
    value: { lostBy: call },
    inputs: (store) =>
      inputs.flatMap(({ grouping, aggregator, site }) =>
        grouping.inputs(store).map((parent) => {
          const body = { kind: 'cogroup-input', parents: [parent], aggregator } as const
          return graph.add(body, graph.pathName(parent, call), site)
        }),
      ),
  }
}

/** Stands in the table's node, which no record reaches but through an input. */
export function nobodysAggregator(): never {
  throw new StreamError('INTERNAL', 'a record came to a cogrouped table past its inputs')
}
