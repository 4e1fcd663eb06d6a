/** A topology is a value: defining it draws the graph, checks it and freezes it, and does nothing else. */

import { StreamError } from '../common/errors.ts'
import type { Storage } from '../common/storage.ts'
import { type Duration, durationMs } from '../common/time.ts'
import type { SourceLocation, Topology } from '../topology/node.ts'
import { StreamsBuilder } from './builder.ts'
import { callSite } from './call-site.ts'
import { Graph } from './graph.ts'
import { invalid, requireFunction, requireName } from './invalid.ts'
import { requireStorage } from './storage.ts'

export interface TopologyOptions {
  /**
   * Windows that nobody's records close: once all inputs of a task have been quiet for that long by the wall clock, all that the broker has of them was
   * processed, and so was all that can still reach them, stream time moves to where what is open closes: windows with `emit: 'final'`, what `suppress` holds
   * back, unmatched records of stream-stream joins, and what waits for the grace of a stream-table join. That is committed; a record of an earlier time is late then. Default: only records move stream time, as in Kafka Streams.
   */
  readonly idleClose?: Duration | undefined
  /**
   * How long a task with several inputs waits, by the wall clock, for one that has come to its end while others have records, so that records of
   * late producers are taken in the order of their time too; an input that the broker has more of is always waited for. `'never'` waits for neither (Kafka
   * Streams: `max.task.idle.ms`, there -1). Default 0. The test driver does not wait.
   */
  readonly maxTaskIdle?: Duration | 'never' | undefined
  /** Of the stores that say nothing: `'disk'`, `'memory'` or a supplier of yours (Kafka Streams: `dsl.store.suppliers.class`). Default `'disk'`. */
  readonly storage?: Storage | undefined
}

/**
 * Defines a topology. Its name is the default application id: consumer group, prefix of internal topics and of the state
 * directory.
 * @example
 * export default defineTopology('word-count', b => {
 *   b.stream(lines)
 *     .flatMapValues(line => line.toLowerCase().split(' '))
 *     .groupBy('by-word', word => word, { key: string, value: string })
 *     .count('word-counts')
 *     .toStream()
 *     .to(counts)
 * })
 * @throws StreamError INVALID_TOPOLOGY with the user's file and line: a missing, illegal or duplicate name, a missing
 * serde, a storage that is none, no source.
 */
export function defineTopology(
  name: string,
  build: (b: StreamsBuilder) => void,
  options: TopologyOptions = {},
): Topology {
  const site = callSite()
  const legal = requireName(name, 'topology name', 'defineTopology', site)
  const { idleClose, maxTaskIdle, storage } = options
  const fallback = storage === undefined ? undefined : requireStorage(storage, `topology ${legal}`, legal, site)
  const graph = new Graph(legal, fallback)
  const result: unknown = requireFunction(build, 'second argument', 'defineTopology', site)(new StreamsBuilder(graph))
  if (typeof result === 'object' && result !== null && 'then' in result && typeof result.then === 'function') {
    result.then(undefined, () => undefined)
    throw invalid(
      `the function of the topology ${name} is async`,
      'Fetch what it needs before defineTopology (top-level await works in a topology file).',
      name,
      site,
    )
  }
  return graph.seal(site, {
    ...(idleClose !== undefined && { idleCloseMs: idleCloseMs(idleClose, name, site) }),
    ...(maxTaskIdle !== undefined && { maxTaskIdleMs: maxTaskIdleMs(maxTaskIdle, name, site) }),
  })
}

function maxTaskIdleMs(maxTaskIdle: Duration | 'never', name: string, site: SourceLocation | undefined): number {
  if (maxTaskIdle === 'never') return -1
  return duration(maxTaskIdle, 'maxTaskIdle', name, site)
}

/** @throws StreamError INVALID_TOPOLOGY with the user's line. */
function duration(given: Duration, what: string, name: string, site: SourceLocation | undefined): number {
  try {
    return durationMs(given, what)
  } catch (thrown) {
    if (thrown instanceof StreamError) throw invalid(thrown.message, thrown.hint ?? '', name, site)
    throw thrown
  }
}

function idleCloseMs(idleClose: Duration, name: string, site: SourceLocation | undefined): number {
  const ms = duration(idleClose, 'idleClose', name, site)
  if (ms > 0) return ms
  throw invalid(
    `idleClose of ${name} is 0 ms, which would close windows between two records`,
    "Give the time that inputs are quiet only when they have come to an end: idleClose: '30s'.",
    name,
    site,
  )
}
