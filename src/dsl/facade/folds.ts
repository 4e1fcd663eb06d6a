/** From the options of count, reduce and aggregate to what is folded. */

import type { AnySerde } from '../../serde/serde.ts'
import { counting, countSerde, type Fold, type Storage } from '../grouping.ts'
import type { UserFunction } from '../stateless.ts'
import type { StoreOptions } from './options.ts'

export function count({ storage }: StoreOptions): Fold {
  return { ...counting, value: countSerde, storage }
}

export function reduce(
  aggregator: UserFunction,
  { serde, storage }: { serde?: AnySerde | undefined; storage?: Storage | undefined },
): Fold {
  return { aggregator, merger: aggregator, value: serde, storage }
}

export function aggregate(options: {
  readonly init: () => unknown
  readonly add: UserFunction
  readonly serde: AnySerde
  readonly storage?: Storage | undefined
}): Fold {
  const { init: initializer, add: aggregator, serde: value, storage } = options ?? {}
  return { initializer, aggregator, merger: undefined, value, storage }
}
