/** From the options of count, reduce and aggregate to what is folded. */

import type { Storage } from '../../common/storage.ts'
import type { Duration } from '../../common/time.ts'
import type { AnySerde } from '../../serde/serde.ts'
import { counting, countSerde, type Emit, type Fold } from '../grouping.ts'
import type { UserFunction } from '../stateless.ts'

interface Given {
  readonly storage?: Storage | undefined
  readonly ttl?: Duration | undefined
  readonly emit?: Emit | undefined
  readonly late?: { readonly kind: 'topic'; readonly name: string } | undefined
}

export function count(options: Given): Fold {
  return { ...counting, value: countSerde, ...common(options) }
}

export function reduce(aggregator: UserFunction, options: Given & { readonly serde?: AnySerde | undefined }): Fold {
  return { aggregator, merger: aggregator, value: options?.serde, ...common(options) }
}

export function aggregate(
  options: Given & { readonly init: () => unknown; readonly add: UserFunction; readonly serde: AnySerde },
): Fold {
  const { init: initializer, add: aggregator, serde: value } = options ?? {}
  return { initializer, aggregator, merger: undefined, value, ...common(options) }
}

function common(options: Given): Pick<Fold, 'storage' | 'ttl' | 'emit' | 'late'> {
  const { storage, ttl, emit, late } = options ?? {}
  return { storage, ttl, emit, late }
}
