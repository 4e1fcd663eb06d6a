/** A query as plain data, as it comes in an address and goes to an engine: which store, what of it, and the keys and times as texts. */

import { messageOf, type StreamError } from '../../common/errors.ts'
import type { QueryableKind, QueryableStore } from '../../runtime/queries.ts'
import type { AnySerde } from '../../serde/serde.ts'
import { fromJson, fromText } from '../json-values.ts'
import { refuse } from './refusal.ts'

export type Verb = 'get' | 'range' | 'prefix' | 'all' | 'fetch' | 'count'

export interface Question {
  readonly store: string
  readonly verb: Verb
  readonly params: Readonly<Partial<Record<Param, string>>>
  /** Of this partition alone. */
  readonly partition?: number | undefined
  /** Rows, at most. */
  readonly limit: number
  /** The other way round. */
  readonly reverse: boolean
}

type Param = 'key' | 'from' | 'to' | 'prefix' | 'asOf' | 'fromKey' | 'toKey' | 'limit' | 'reverse'

/** By kind, what can be asked, and with which parameters. */
const verbs: Readonly<Record<QueryableKind, Readonly<Partial<Record<Verb, readonly Param[]>>>>> = {
  'key-value': {
    get: ['key'],
    range: ['from', 'to', 'limit', 'reverse'],
    prefix: ['prefix', 'limit'],
    all: ['limit', 'reverse'],
    count: [],
  },
  window: { fetch: ['key', 'from', 'to', 'limit', 'reverse'], all: ['limit', 'reverse'] },
  session: { fetch: ['key', 'from', 'to', 'fromKey', 'toKey', 'limit', 'reverse'], all: ['limit', 'reverse'] },
  versioned: { get: ['key', 'asOf'], all: ['limit'] },
}

/** Those of any query. */
const common: readonly string[] = ['partition', 'local', 'ordered']

const defaultLimit = 100
const mostRows = 10_000

export function verbsOf({ kind }: QueryableStore): readonly string[] {
  return Object.keys(verbs[kind])
}

/** @throws Refusal 404 for what its kind cannot be asked, 400 for parameters that are not right. */
export function questionOf(store: QueryableStore, verb: string, given: URLSearchParams): Question {
  const allowed = verbs[store.kind][verb as Verb]
  if (allowed === undefined || !Object.hasOwn(verbs[store.kind], verb)) {
    throw refuse(404, 'INVALID_ARGUMENT', `store ${store.name} is a ${store.kind} store, which has no /${verb}`, {
      hint: `It has ${verbsOf(store)
        .map((name) => `/${name}`)
        .join(', ')}.`,
    })
  }
  const texts = new Map<string, string>()
  for (const [name, text] of given) {
    if (!common.includes(name) && !(allowed as readonly string[]).includes(name)) {
      throw badParam(
        `/${verb} of store ${store.name} takes no ${name}`,
        `It takes ${[...allowed, ...common].join(', ')}.`,
      )
    }
    if (texts.has(name)) throw badParam(`${name} is given twice`, 'Give it once.')
    texts.set(name, text)
  }
  const partition = wholeNumber(texts, 'partition', 0, Number.MAX_SAFE_INTEGER)
  if (partition !== undefined && !(partition < (store.partitions ?? 0))) {
    const has =
      store.partitions === undefined ? 'It is a global table, and has none.' : partitionsWords(store.partitions)
    throw badParam(`store ${store.name} has no partition ${partition}`, has)
  }
  const question: Question = {
    store: store.name,
    verb: verb as Verb,
    params: Object.fromEntries([...texts].filter(([name]) => (allowed as readonly string[]).includes(name))),
    partition,
    limit: wholeNumber(texts, 'limit', 1, mostRows) ?? defaultLimit,
    reverse: flag(texts, 'reverse'),
  }
  checkParams(store, question)
  return question
}

function partitionsWords(count: number): string {
  return count === 0 ? 'It has none yet: no topic matches its pattern.' : `Its partitions are 0 to ${count - 1}.`
}

/** Looks at what an engine will read, so that what is wrong is told before one is asked. */
function checkParams(store: QueryableStore, question: Question): void {
  const { verb, params } = question
  if (verb === 'get' && params.key === undefined) throw badParam('/get needs the key of the row', 'Add ?key=...')
  if (verb === 'prefix') prefixOf(store, question)
  if (verb === 'range') for (const name of ['from', 'to'] as const) keyParam(store, question, name)
  for (const name of ['key', 'fromKey', 'toKey'] as const) keyParam(store, question, name)
  if (verb === 'fetch') for (const name of ['from', 'to'] as const) timeParam(question, name, 0)
  timeParam(question, 'asOf', 0)
  if (store.kind === 'session' && params.key === undefined && (params.from ?? params.to) !== undefined) {
    throw badParam(
      'from and to are times of the sessions of a key',
      'Add key=..., or ask for keys with fromKey and toKey.',
    )
  }
  if (params.key !== undefined && (params.fromKey ?? params.toKey) !== undefined) {
    throw badParam('key is given, and a range of keys too', 'Give key, or fromKey and toKey.')
  }
}

/** Asks for the rows of one key, which lie in one partition. */
export function isOfOneKey({ params }: Question): boolean {
  return params.key !== undefined
}

/** What a store takes as the key; undefined where it is not given. @throws Refusal 400 when its serde does not read it. */
export function keyParam({ key }: Pick<QueryableStore, 'key'>, { params }: Question, name: Param): unknown {
  const text = params[name]
  if (text === undefined) return undefined
  let value: unknown
  try {
    value = keyOf(key, text)
    // A value of another shape may be found out only here.
    if (value !== null) key.serialize(value)
  } catch (thrown) {
    throw badParam(
      `${name} is no key of the store: ${messageOf(thrown)}`,
      `Its keys are ${key.format}: text as it is, whole numbers as digits, bytes as base64, all else as JSON.`,
    )
  }
  if (value === null) throw badParam(`${name} is null, which is no key`, 'Give the key of the row.')
  return value
}

/** Whole numbers and bytes as JSON shows them, without its quotes: digits beyond 2^53 are kept. */
function keyOf(serde: AnySerde, text: string): unknown {
  return serde.format === 'int64' || serde.format === 'bytes' ? fromJson(serde, text) : fromText(serde, text)
}

/** Bytes that keys begin with. @throws Refusal 400. */
export function prefixOf({ key }: Pick<QueryableStore, 'key'>, question: Question): Buffer {
  const text = question.params.prefix
  if (text === undefined) throw badParam('/prefix needs what the keys begin with', 'Add ?prefix=...')
  if (key.format === 'string') return Buffer.from(text, 'utf8')
  if (key.format === 'bytes') return keyParam({ key }, question, 'prefix') as Buffer
  throw badParam(`keys that are ${key.format} have no prefix as text`, 'Ask for a range: /range?from=...&to=...')
}

/** ms since the epoch. @throws Refusal 400. */
export function timeParam({ params }: Question, name: 'from' | 'to' | 'asOf', open: number): number {
  const text = params[name]
  if (text === undefined) return open
  if (/^-?\d{1,15}$/.test(text)) return Number(text)
  throw badParam(`${name} is ${JSON.stringify(text)}, which is no time`, 'Give ms since the epoch.')
}

function wholeNumber(texts: ReadonlyMap<string, string>, name: string, least: number, most: number) {
  const text = texts.get(name)
  if (text === undefined) return undefined
  const number = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (number >= least && number <= most) return number
  throw badParam(`${name} is ${JSON.stringify(text)}`, `Give a whole number from ${least} to ${most}.`)
}

function flag(texts: ReadonlyMap<string, string>, name: string): boolean {
  const text = texts.get(name)
  if (text === undefined || text === 'false') return false
  if (text === 'true') return true
  throw badParam(`${name} is ${JSON.stringify(text)}`, 'Give true or false.')
}

/** What any query may say besides: only what is in this process, and what rows are merged by. @throws Refusal 400. */
export function scopeOf(given: URLSearchParams): { readonly local: boolean; readonly ordered: boolean } {
  const texts = new Map(given)
  return { local: flag(texts, 'local'), ordered: flag(texts, 'ordered') }
}

function badParam(message: string, hint: string): StreamError {
  return refuse(400, 'INVALID_ARGUMENT', message, { hint })
}
