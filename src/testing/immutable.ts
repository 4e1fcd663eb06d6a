/**
 * A topology whose values cannot be changed: whatever a serde reads or an initializer makes is frozen, so that a function which
 * changes what it was given fails in a test, and does not mix keys, branches or versions of a row in production.
 */

import { deserializeWith, readerOf } from '../common/bytes.ts'
import type { AnySerde } from '../serde/serde.ts'
import type { Topology, TopologyNode } from '../topology/node.ts'

export function withFrozenValues(topology: Topology): Topology {
  // One for one: what was the same serde before is so after.
  const known = new Map<object, unknown>()
  const mapped = (value: unknown): unknown => {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return value
    const seen = known.get(value)
    if (seen !== undefined) return seen
    // `json` as it stands is a function and a serde.
    const made = isSerde(value) ? frozenSerde(value) : isPlain(value) ? mappedFields(value) : value
    known.set(value, made)
    return made
  }
  const mappedFields = (fields: object): unknown => {
    if (Array.isArray(fields)) return fields.map(mapped)
    return Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [
        name,
        name === 'initializer' && typeof value === 'function'
          ? () => frozen((value as () => unknown)())
          : // A supplier is whoever it is.
            name === 'storage'
            ? value
            : mapped(value),
      ]),
    )
  }
  return { ...topology, nodes: topology.nodes.map((node) => mapped(node) as TopologyNode) }
}

function isSerde(value: object): value is AnySerde {
  return 'format' in value && 'deserialize' in value
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === Array.prototype || prototype === null
}

function frozenSerde(serde: AnySerde): AnySerde {
  const read = readerOf(serde)
  const deserialize = deserializeWith((source, start, end) => frozen(read(source, start, end)))
  // An object of a class has its functions from there.
  const own = typeof serde === 'function' || isPlain(serde) ? { ...serde } : (Object.create(serde) as AnySerde)
  return Object.assign(own, { deserialize })
}

/** Plain objects and arrays, all the way down. Others have insides that no freezing reaches; bytes cannot be frozen at all. */
function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || !isPlain(value) || Object.isFrozen(value)) return value
  for (const inner of Object.values(value)) frozen(inner)
  return Object.freeze(value)
}
