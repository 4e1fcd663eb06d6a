/** What a stream or table of the facade stands for: a place in the graph, and the serdes that still fit its records there. */

import type { AnySerde } from '../serde/serde.ts'
import type { NodeId, SourceLocation, StoreSpec } from '../topology/node.ts'
import type { Graph } from './graph.ts'
import { invalid } from './invalid.ts'

/** The serde once fitted, but the named operator changed what it is for. */
export interface LostSerde {
  readonly lostBy: string
}

export type KnownSerde = AnySerde | LostSerde

export interface StreamState {
  readonly graph: Graph
  readonly node: NodeId
  readonly key: KnownSerde
  readonly value: KnownSerde
  /** The key may have changed since the topic was read: records of one key may lie in several partitions. */
  readonly rekeyed: boolean
}

export interface TableState {
  readonly graph: Graph
  readonly node: NodeId
  readonly key: AnySerde
  readonly value: KnownSerde
  /** What the table is kept in, or derived from; several after a join. */
  readonly stores: readonly StoreSpec[]
  /** The join by a foreign key that it comes from and that keeps no results: its updates are all there is of it. */
  readonly unkept?: LostRows
}

/** The named operator keeps no rows, until it is given what `fix` says. */
export interface LostRows {
  readonly lostBy: string
  readonly fix: string
}

export interface GlobalTableState {
  readonly graph: Graph
  readonly node: NodeId
  /** Name of the store. */
  readonly table: string
}

/** Serdes a call brings along for where those of the stream no longer fit. */
export interface GivenSerdes {
  readonly key?: AnySerde | undefined
  readonly value?: AnySerde | undefined
}

export function isLost(serde: KnownSerde): serde is LostSerde {
  return 'lostBy' in serde
}

/** @throws StreamError INVALID_TOPOLOGY when no rows are kept that the call could look at, or take old values from. */
export function requireRows({ unkept }: TableState, call: string, site: SourceLocation | undefined): void {
  if (unkept === undefined) return
  throw invalid(
    `${call} looks at the rows of ${unkept.lostBy}, which keeps none: it was given no serde for its results`,
    `Give it one: ${unkept.fix}. Without one its updates can be mapped and turned into a stream.`,
    call,
    site,
  )
}

/** The given serdes, else those of the stream. */
export function withSerdes(state: StreamState, given: GivenSerdes | undefined): StreamState {
  return { ...state, key: given?.key ?? state.key, value: given?.value ?? state.value }
}

/**
 * The serde, or the error that says who lost it and what to write instead.
 * @param fix code that gives it: `groupByKey({ key: string })`.
 */
export function requireSerde(
  serde: KnownSerde,
  part: 'key' | 'value',
  why: string,
  fix: string,
  call: string,
  site: SourceLocation | undefined,
): AnySerde {
  if (!isLost(serde)) {
    if (typeof serde.serialize === 'function' && typeof serde.deserialize === 'function') return serde
    throw invalid(`${call}: what is given as the ${part} serde is none`, `Write ${fix}.`, call, site)
  }
  throw invalid(
    `${call} needs the ${part} serde ${why}, and it is not known since ${serde.lostBy} changed the ${part}`,
    `Give it: ${fix}, with the serde that fits (string, int64, double, bytes, json<T>(), avro(schema)).`,
    call,
    site,
  )
}
