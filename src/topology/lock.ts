/**
 * What of a topology outlives a run, as JSON: names of stores and topics and all that says how their bytes read. It is kept beside the
 * topology, so that the next version of it can be compared before it meets the state of this one.
 */

import { storageName } from '../common/storage.ts'
import { formatOf } from '../serde/format-of.ts'
import type { AnySerde } from '../serde/serde.ts'
import type { StoreSpec, Topology } from './node.ts'
import { subTopologies } from './subtopology.ts'

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** How the records of a topic read. */
export interface LockedTopic {
  readonly key: string
  readonly value: string
}

export interface LockedRepartition extends LockedTopic {
  /** Where the user fixed it. */
  readonly partitions?: number
}

/** All that a store was declared with but its name and functions; serdes are their formats. */
export type LockedStore = { readonly [field: string]: Json }

export interface LockedSubTopology {
  readonly topics: readonly string[]
  /** Base names of the repartition topics it reads. */
  readonly repartitions: readonly string[]
  readonly stores: readonly string[]
}

export interface TopologyLock {
  /** The user's topics that are read, those of a pattern as it is written, and written. */
  readonly sources: Readonly<Record<string, LockedTopic>>
  readonly sinks: Readonly<Record<string, LockedTopic>>
  /** By base name, as stores: the prefix is the application's. */
  readonly repartitions: Readonly<Record<string, LockedRepartition>>
  readonly stores: Readonly<Record<string, LockedStore>>
  /** In the order of their numbers, which tasks are named by. */
  readonly subTopologies: readonly LockedSubTopology[]
}

export function lockOf(topology: Topology): TopologyLock {
  const sources: [string, LockedTopic][] = []
  const sinks: [string, LockedTopic][] = []
  const repartitions: [string, LockedRepartition][] = []
  for (const node of topology.nodes) {
    if (node.kind === 'source' || node.kind === 'global-table') sources.push([node.topic, topicOf(node)])
    if (node.kind === 'pattern-source') sources.push([node.name, topicOf(node)])
    if (node.kind === 'sink') sinks.push([node.topic, topicOf(node)])
    if (node.kind === 'repartition') {
      const fixed = node.partitions === undefined ? {} : { partitions: node.partitions }
      repartitions.push([node.topic, { ...topicOf(node), ...fixed }])
    }
  }
  const subs = subTopologies(topology)
  const stores = subs.flatMap((sub) => sub.stores)
  return {
    sources: sorted(sources),
    sinks: sorted(sinks),
    repartitions: sorted(repartitions),
    stores: sorted(stores.map((store) => [store.name, storeOf(store)])),
    subTopologies: subs.map((sub) => {
      const read = sub.sources.flatMap((id) => topology.nodes[id] ?? [])
      return {
        topics: read
          .flatMap((node) =>
            node.kind === 'source' ? [node.topic] : node.kind === 'pattern-source' ? [node.name] : [],
          )
          .sort(),
        repartitions: read.flatMap((node) => (node.kind === 'repartition' ? [node.topic] : [])).sort(),
        stores: sub.stores.map(({ name }) => name).sort(),
      }
    }),
  }
}

function topicOf({ key, value }: { readonly key: AnySerde; readonly value: AnySerde }): LockedTopic {
  return { key: formatOf(key), value: formatOf(value) }
}

/** Field by field without knowing which there are, so that no store ever has one that is not compared. */
function storeOf({ name: _, storage, ...fields }: StoreSpec): LockedStore {
  return asJson({ ...fields, storage: storageName(storage) }) as LockedStore
}

function asJson(value: unknown): Json | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return Number.isFinite(value) ? value : String(value)
    case 'bigint':
      return String(value)
    case 'object':
      break
    default:
      return undefined
  }
  if (value === null) return null
  if (Array.isArray(value)) return value.map((item) => asJson(item) ?? null)
  if (isSerde(value)) return formatOf(value)
  const fields = Object.entries(value).flatMap(([field, inner]): [string, Json][] => {
    const json = asJson(inner)
    return json === undefined ? [] : [[field, json]]
  })
  return sorted(fields)
}

function isSerde(value: object): value is AnySerde {
  return 'format' in value && 'serialize' in value
}

/** A file that is compared line by line has one order. */
function sorted<T>(entries: readonly (readonly [string, T])[]): Readonly<Record<string, T>> {
  return Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Whether JSON has the shape of a lock; what a store has besides is compared as it stands. */
export function isTopologyLock(json: unknown): json is TopologyLock {
  const { sources, sinks, repartitions, stores, subTopologies } = (json ?? {}) as Partial<Record<string, unknown>>
  const texts = (value: unknown): boolean => Array.isArray(value) && value.every((item) => typeof item === 'string')
  const all = (value: unknown, test: (item: Partial<Record<string, unknown>>) => boolean): boolean =>
    typeof value === 'object' && value !== null && Object.values(value).every((item) => test(item ?? {}))
  const topic = ({ key, value }: Partial<Record<string, unknown>>) =>
    typeof key === 'string' && typeof value === 'string'
  return (
    all(sources, topic) &&
    all(sinks, topic) &&
    all(repartitions, topic) &&
    all(stores, (store) => typeof store.kind === 'string') &&
    Array.isArray(subTopologies) &&
    all(subTopologies, (sub) => texts(sub.topics) && texts(sub.repartitions) && texts(sub.stores))
  )
}
