/** Stores by name, as a program asks for them: which there are, of which kind, and the tasks here that hold their partitions. */

import { StreamError } from '../common/errors.ts'
import { partitionOf } from '../common/partitioner.ts'
import type { SessionWindows, SlidingWindows } from '../common/windows.ts'
import type { AnySerde } from '../serde/serde.ts'
import { queryableGlobal } from '../state/read/global.ts'
import { queryableKeyValue } from '../state/read/key-value.ts'
import type { Partitions, Viewable } from '../state/read/partitions.ts'
import type {
  QueryableKeyValueStore,
  QueryableSessionStore,
  QueryableVersionedStore,
  QueryableWindowStore,
} from '../state/read/queryable.ts'
import { queryableSession } from '../state/read/session.ts'
import { queryableVersioned } from '../state/read/versioned.ts'
import { queryableSliding, queryableWindow } from '../state/read/window.ts'
import type { GlobalTableNode, StoreSpec } from '../topology/node.ts'
import { ownStores } from '../topology/upstream.ts'
import type { GlobalTable } from './global-table.ts'
import type { Plan } from './plan.ts'
import type { Task } from './task.ts'

export interface StoreQueryOptions {
  /** Look at this partition alone. Default: at all that are here. */
  readonly partition?: number
}

/**
 * Gives a store to be read beside the records, by its name and kind; K and V are what its serdes read. All throw
 * StreamError INVALID_ARGUMENT for a name that is no store's, a store of another kind, or a partition it does not have.
 */
export interface StoreLookup {
  /** A table, a global table, an aggregate without windows, or a store of a processor. */
  <K = unknown, V = unknown>(
    name: string,
    kind?: 'key-value',
    options?: StoreQueryOptions,
  ): QueryableKeyValueStore<K, V>
  /** An aggregate in tumbling, hopping or sliding windows. */
  <K = unknown, V = unknown>(name: string, kind: 'window', options?: StoreQueryOptions): QueryableWindowStore<K, V>
  /** An aggregate in session windows. */
  <K = unknown, V = unknown>(name: string, kind: 'session', options?: StoreQueryOptions): QueryableSessionStore<K, V>
  /** A table with `history`. */
  <K = unknown, V = unknown>(
    name: string,
    kind: 'versioned',
    options?: StoreQueryOptions,
  ): QueryableVersionedStore<K, V>
}

/** What can be asked for. */
export type QueryableKind = 'key-value' | 'window' | 'session' | 'versioned'

/** A store that can be read: what it takes to ask for its rows. */
export interface QueryableStore {
  readonly name: string
  readonly kind: QueryableKind
  readonly key: AnySerde
  readonly value: AnySerde
  /** How many it has, 0 before a topic matches its pattern; undefined of a global table, which every process has whole. */
  readonly partitions: number | undefined
  /** Of sliding windows, whose rows lie in stretches. */
  readonly sliding?: SlidingWindows | undefined
  /** Of sessions, likewise. */
  readonly session?: SessionWindows | undefined
}

const kinds: Readonly<Partial<Record<StoreSpec['kind'], QueryableKind>>> = {
  'key-value': 'key-value',
  window: 'window',
  sliding: 'window',
  session: 'session',
  versioned: 'versioned',
}

/** What there is to be read in this thread now. */
export interface Here {
  /** Topics that a pattern matches may have come. */
  readonly plan: Plan
  readonly tasks: readonly Task[]
  /** By name. */
  readonly globalTables: ReadonlyMap<string, GlobalTable>
}

export function storeLookup(here: Here): StoreLookup {
  return (name: string, kind: QueryableKind = 'key-value', options: StoreQueryOptions = {}) => {
    const specs = queryableSpecs(here.plan)
    const table = here.plan.topology.nodes.find((node) => node.kind === 'global-table' && node.table === name)
    if (table?.kind === 'global-table') return globalReader(table, kind, options.partition, here)
    const spec = specs.get(name)
    if (spec === undefined) throw unknownStore(name, here.plan, specs)
    if (kinds[spec.kind] !== kind) throw otherKind(name, kinds[spec.kind], kind)
    return readerOf(spec, partitionsOf(spec, options.partition, here))
  }
}

export function queryableStores(plan: Plan): readonly QueryableStore[] {
  const own = [...queryableSpecs(plan).values()].map((spec): QueryableStore => {
    const { name, key, value, sliding, session } = spec
    const kind = kinds[spec.kind] as QueryableKind
    return { name, kind, key, value, partitions: partitionCount(plan, name) ?? 0, sliding, session }
  })
  const global = plan.topology.nodes.flatMap((node): readonly QueryableStore[] => {
    if (node.kind !== 'global-table') return []
    return [{ name: node.table, kind: 'key-value', key: node.key, value: node.value, partitions: undefined }]
  })
  return [...own, ...global]
}

/** Partitions of a store whose tasks are here, whatever they are doing. */
export function partitionsHere({ plan, tasks }: Here, store: string): readonly number[] {
  const sub = subTopologyOf(plan, store)
  return tasks.flatMap(({ id }) => (id.subTopology === sub ? [id.partition] : [])).sort((a, b) => a - b)
}

export function subTopologyOf(plan: Plan, store: string): number {
  return plan.subTopologies.findIndex(({ stores }) => stores.some(({ name }) => name === store))
}

function globalReader(
  { table: name, key, value }: GlobalTableNode,
  kind: QueryableKind,
  partition: number | undefined,
  here: Here,
  // biome-ignore lint/suspicious/noExplicitAny: whoever asks says what the rows are.
): any {
  if (kind !== 'key-value') throw otherKind(name, 'key-value', kind)
  if (partition !== undefined) {
    throw new StreamError('INVALID_ARGUMENT', `store ${name} is a global table, and has no partitions`, {
      where: { node: name },
      hint: `Read it with store('${name}').`,
    })
  }
  const rows = () => {
    const found = here.globalTables.get(name)?.rows
    if (found?.isWhole === true) return found
    throw new StreamError('REBALANCE', `store ${name}: the global table is not read to its end yet`, {
      where: { node: name },
      hint: 'Ask again when the application is running.',
    })
  }
  return queryableGlobal({ name, key, value, rows })
}

// biome-ignore lint/suspicious/noExplicitAny: whoever asks says what the rows are.
function readerOf({ value, windows, sliding, session, historyMs }: StoreSpec, partitions: Partitions<any>): any {
  if (windows !== undefined) return queryableWindow(partitions, value, windows)
  if (sliding !== undefined) return queryableSliding(partitions, value, sliding)
  if (session !== undefined) return queryableSession(partitions, value, session)
  if (historyMs !== undefined) return queryableVersioned(partitions, value, historyMs)
  return queryableKeyValue(partitions, value)
}

/** Those whose rows are what the user's functions make: not what a join, a buffer or a limit keeps for itself. */
function queryableSpecs({ topology }: Plan): ReadonlyMap<string, StoreSpec> {
  const own = topology.nodes.flatMap((node) =>
    node.kind === 'foreign-key-join' || node.kind === 'dedupe' || node.kind === 'rate-limit' ? [] : ownStores(node),
  )
  return new Map(own.flatMap((spec) => (kinds[spec.kind] === undefined ? [] : [[spec.name, spec]])))
}

function partitionsOf(spec: StoreSpec, partition: number | undefined, here: Here): Partitions<unknown> {
  const { name, key } = spec
  const count = partitionCount(here.plan, name)
  if (partition !== undefined && count === 0) throw noTask(name)
  if (partition !== undefined && !(Number.isInteger(partition) && partition >= 0 && partition < count)) {
    throw new StreamError('INVALID_ARGUMENT', `store ${name} has no partition ${partition}`, {
      where: { node: name },
      hint: `Its partitions are 0 to ${count - 1}.`,
    })
  }
  return {
    name,
    key,
    stores: (wanted) => {
      const { plan, tasks } = here
      if (partitionCount(plan, name) === 0) throw noTask(name)
      const sub = subTopologyOf(plan, name)
      const found = tasks
        .filter(({ id }) => id.subTopology === sub && (partition === undefined || id.partition === partition))
        .sort((a, b) => a.id.partition - b.id.partition)
      if (found.length === 0) throw notHere(name, partition)
      for (const task of found) if (task.state !== 'running') throw notReady(name, task)
      return inOrder(found, wanted === undefined ? 0 : homePartition(wanted, spec, partitionCount(plan, name))).map(
        (task) => task.stores.get(name) as unknown as Viewable<unknown>,
      )
    },
  }
}

function partitionCount(plan: Plan, store: string): number {
  const sub = subTopologyOf(plan, store)
  return plan.tasks.filter(({ subTopology }) => subTopology === sub).length
}

/** Where records of the key go by default. */
export function homePartition(wanted: unknown, { key }: { readonly key: AnySerde }, count: number): number {
  const bytes = key.serialize(wanted)
  return partitionOf(bytes, count, 0, bytes.length - (key.unpartitionedBytes ?? 0))
}

function inOrder(tasks: readonly Task[], home: number): readonly Task[] {
  const first = tasks.filter(({ id }) => id.partition === home)
  return [...first, ...tasks.filter(({ id }) => id.partition !== home)]
}

function unknownStore(name: string, { topology }: Plan, specs: ReadonlyMap<string, StoreSpec>): StreamError {
  const tables = topology.nodes.flatMap((node) => (node.kind === 'global-table' ? [`${node.table} (key-value)`] : []))
  const there = [...[...specs.values()].map((spec) => `${spec.name} (${kinds[spec.kind]})`), ...tables]
  return new StreamError('INVALID_ARGUMENT', `the topology has no store ${name} that can be read`, {
    hint:
      there.length === 0
        ? 'It has none at all: tables, aggregates and stores of processors can be read.'
        : `It has: ${there.join(', ')}.`,
  })
}

function otherKind(name: string, is: QueryableKind | undefined, asked: string): StreamError {
  return new StreamError('INVALID_ARGUMENT', `store ${name} is a ${is} store, and was asked for as ${asked}`, {
    where: { node: name },
    hint: `Read it with store('${name}', '${is}').`,
  })
}

function noTask(name: string): StreamError {
  return new StreamError('REBALANCE', `store ${name}: there is no task yet that has it`, {
    where: { node: name },
    hint: 'No topic matches the pattern that its records are read by: ask again when there is one.',
  })
}

function notHere(name: string, partition: number | undefined): StreamError {
  const what = partition === undefined ? 'no partition' : `not partition ${partition}`
  return new StreamError('REBALANCE', `store ${name}: ${what} of it is here now`, {
    where: { node: name },
    hint: 'Another process has it, or it is on its way: ask there, or ask again.',
  })
}

function notReady(name: string, { id, name: task, state }: Task): StreamError {
  return new StreamError('REBALANCE', `store ${name}: its partition ${id.partition} is ${state}`, {
    where: { node: name, task, partition: id.partition },
    hint: 'Ask again when the application is running.',
  })
}
