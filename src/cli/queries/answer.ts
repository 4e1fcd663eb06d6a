/** The answer to a query from the stores of one engine, as plain data: it crosses threads, and is merged with what others answer. */

import { sessionStretches, slidingStretches, type Windowed } from '../../common/windows.ts'
import type { Engine } from '../../runtime/engine.ts'
import type { Plan } from '../../runtime/plan.ts'
import { type Here, partitionsHere, type QueryableStore, queryableStores, storeLookup } from '../../runtime/queries.ts'
import { toJson } from '../json-values.ts'
import { keyParam, prefixOf, type Question, timeParam } from './question.ts'
import { refuse } from './refusal.ts'

export interface AnswerRow {
  /** Rows of several answers are merged by this text. */
  readonly order: string
  /** `{"key","value","timestamp"}` */
  readonly json: string
}

export interface Answer {
  /** Those that were looked at. */
  readonly partitions: readonly number[]
  readonly rows: readonly AnswerRow[]
  /** There are rows beyond the limit. */
  readonly more: boolean
  /** Rows there are, when that was the question; else 0. */
  readonly count: number
}

/** Whoever can be asked: an engine here, one in a thread, another process. */
export type Ask = (question: Question) => Promise<Answer>

export const nothing: Answer = { partitions: [], rows: [], more: false, count: 0 }

/** @throws Refusal 404 with the names that there are. */
export function findStore(stores: readonly QueryableStore[], name: string): QueryableStore {
  const found = stores.find((store) => store.name === name)
  if (found !== undefined) return found
  throw refuse(404, 'INVALID_ARGUMENT', `the topology has no store ${name} that can be read`, {
    hint: stores.length === 0 ? 'It has none at all.' : `It has ${stores.map((store) => store.name).join(', ')}.`,
  })
}

/** What the partitions here have; nothing where none is. @throws StreamError REBALANCE while one is not ready. */
export async function answerHere(here: Here, question: Question): Promise<Answer> {
  const store = findStore(queryableStores(here.plan), question.store)
  const { partition } = question
  const partitions = partitionsHere(here, store.name).filter((one) => partition === undefined || one === partition)
  if (store.partitions !== undefined && partitions.length === 0) return nothing
  const asked = { here, store, question }
  if (question.verb === 'count') return { ...nothing, partitions, count: await keyValue(asked).approximateNumEntries() }
  const order = orderOf(store)
  const rows: AnswerRow[] = []
  let more = false
  for await (const row of rowsOf(asked)) {
    more = rows.length === question.limit
    if (more) break
    rows.push({ order: order(row.key), json: toJson(row) })
  }
  return { partitions, rows, more, count: 0 }
}

/** Asks an engine of this thread, for whatever it has at the time. */
export function askOf(engine: Engine, plan: Plan): Ask {
  return (question) => {
    const { tasks = [], globalTables = new Map() } = engine
    return answerHere({ plan, tasks, globalTables }, question)
  }
}

interface Asked {
  readonly here: Here
  readonly store: QueryableStore
  readonly question: Question
}

interface FoundRow {
  readonly key: unknown
  readonly value: unknown
  readonly timestamp: number
}

function rowsOf(asked: Asked): AsyncIterable<FoundRow> {
  switch (asked.store.kind) {
    case 'key-value':
      return keyValueRows(asked)
    case 'window':
      return windowRows(asked)
    case 'session':
      return sessionRows(asked)
    case 'versioned':
      return versionedRows(asked)
  }
}

const where = ({ question: { partition } }: Asked) => (partition === undefined ? {} : { partition })

function keyValue(asked: Asked) {
  return storeLookup(asked.here)(asked.store.name, 'key-value', where(asked))
}

function keyValueRows(asked: Asked): AsyncIterable<FoundRow> {
  const { store, question } = asked
  const rows = keyValue(asked)
  if (question.verb === 'get') {
    const key = keyParam(store, question, 'key')
    return one(key, rows.get(key))
  }
  if (question.verb === 'prefix') return rows.prefixScan(prefixOf(store, question), { serialize: (bytes) => bytes })
  const from = keyParam(store, question, 'from')
  const to = keyParam(store, question, 'to')
  return question.reverse ? rows.reverseRange(from, to) : rows.range(from, to)
}

function windowRows(asked: Asked): AsyncIterable<FoundRow> {
  const { store, question } = asked
  const rows = storeLookup(asked.here)(store.name, 'window', where(asked))
  const key = keyParam(store, question, 'key')
  const from = timeParam(question, 'from', Number.NEGATIVE_INFINITY)
  const to = timeParam(question, 'to', Number.POSITIVE_INFINITY)
  if (key === undefined) return question.reverse ? rows.backwardFetchAll(from, to) : rows.fetchAll(from, to)
  return question.reverse ? rows.backwardFetch(key, from, to) : rows.fetch(key, from, to)
}

function sessionRows(asked: Asked): AsyncIterable<FoundRow> {
  const { store, question } = asked
  const rows = storeLookup(asked.here)(store.name, 'session', where(asked))
  const key = keyParam(store, question, 'key')
  if (key === undefined) {
    const from = keyParam(store, question, 'fromKey')
    const to = keyParam(store, question, 'toKey')
    return question.reverse ? rows.backwardFetch(from, to) : rows.fetch(from, to)
  }
  const from = timeParam(question, 'from', Number.NEGATIVE_INFINITY)
  const to = timeParam(question, 'to', Number.POSITIVE_INFINITY)
  return question.reverse ? rows.backwardFindSessions(key, from, to) : rows.findSessions(key, from, to)
}

function versionedRows(asked: Asked): AsyncIterable<FoundRow> {
  const { store, question } = asked
  const rows = storeLookup(asked.here)(store.name, 'versioned', where(asked))
  const key = keyParam(store, question, 'key')
  return key === undefined ? rows.all() : one(key, rows.get(key, timeParam(question, 'asOf', Number.POSITIVE_INFINITY)))
}

async function* one(key: unknown, found: Promise<Omit<FoundRow, 'key'> | undefined>): AsyncGenerator<FoundRow> {
  const row = await found
  if (row !== undefined) yield { key, ...row }
}

/** A text that compares as rows of the store are ordered: by key, or by the stretch of time they lie in, then by key. */
function orderOf({ kind, key, sliding, session }: QueryableStore): (rowKey: unknown) => string {
  const keyText = (value: unknown): string => key.serialize(value).toString('hex')
  if (kind === 'key-value' || kind === 'versioned') return keyText
  const stretchMs =
    sliding === undefined ? session && sessionStretches(session).advanceMs : slidingStretches(sliding).advanceMs
  return (rowKey) => {
    const { key, start, end } = rowKey as Windowed<unknown>
    const time = session === undefined ? start : end
    const at = stretchMs === undefined ? time : time - (time % stretchMs)
    return `${at.toString(16).padStart(16, '0')}${keyText(key)}`
  }
}
