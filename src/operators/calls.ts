/**
 * Calls of a task to the outside: made as records come, several at a time, and run on in the order of their records. They are the one
 * thing that a record waits for, so a commit waits for them: a position never passes a record whose result is not out.
 */

import type { Headers } from '../common/record.ts'
import type { Clock } from '../common/time.ts'
import { type CurrentRecord, noResult, type Process, processingError } from './processor.ts'

/** What a called function may look at; made when it does. */
export interface Call {
  /** Aborted when nobody waits for the result any more: it took too long, or its record is processed again. */
  readonly signal: AbortSignal
}

export interface CallStageArgs<K, V, R> {
  readonly node: string
  readonly mapper: (value: V, key: K, call: Call) => PromiseLike<R> | R
  /** Most calls under way, and most records held for one that came before them. */
  readonly concurrency: number
  readonly timeoutMs: number
  readonly current: CurrentRecord
  readonly clock: Clock
  /** Told when the call that all others wait for has ended. */
  readonly ready: () => void
  readonly next: Process<K, R>
}

type State = 'waiting' | 'called' | 'done' | 'failed' | 'dropped'

/** A record, and its call. */
class Entry<K = unknown, V = unknown> implements Call {
  readonly key: K
  readonly value: V
  readonly timestamp: number
  readonly headers: Headers
  readonly record: CurrentRecord['record']
  readonly from: CurrentRecord['from']
  state: State = 'waiting'
  result: unknown
  deadline = Number.POSITIVE_INFINITY
  #controller: AbortController | undefined

  constructor(key: K, value: V, timestamp: number, headers: Headers, { record, from }: CurrentRecord) {
    this.key = key
    this.value = value
    this.timestamp = timestamp
    this.headers = headers
    this.record = record
    this.from = from
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    return this.#controller.signal
  }

  abandon(state: State, reason: unknown): void {
    this.state = state
    this.result = reason
    this.#controller?.abort(reason)
  }
}

/** The calls of one operator: entries in the order of their records. */
export class CallStage<K = unknown, V = unknown, R = unknown> {
  readonly #args: CallStageArgs<K, V, R>
  #entries: Entry<K, V>[] = []
  /** Of the entries, the first that has not been run on, and the first that has not been called. */
  #head = 0
  #uncalled = 0
  #underWay = 0

  constructor(args: CallStageArgs<K, V, R>) {
    this.#args = args
  }

  get inFlight(): number {
    return this.#entries.length - this.#head
  }

  get isFull(): boolean {
    return this.inFlight >= this.#args.concurrency
  }

  /** When the oldest call under way has taken too long, ms; Infinity without one. */
  get deadline(): number {
    for (let at = this.#head; at < this.#uncalled; at++) {
      const entry = this.#entries[at] as Entry
      if (entry.state === 'called') return entry.deadline
    }
    return Number.POSITIVE_INFINITY
  }

  add(key: K, value: V, timestamp: number, headers: Headers): void {
    this.#entries.push(new Entry(key, value, timestamp, headers, this.#args.current))
    this.#callNext()
  }

  /** Runs on what has ended and waits for nothing before it. @throws StreamError PROCESSING of a call that failed; the record is current then. */
  drain(): void {
    const { current, next } = this.#args
    while (this.#head < this.#entries.length) {
      const entry = this.#entries[this.#head] as Entry<K, V>
      if (entry.state === 'waiting' || entry.state === 'called') return
      current.value = undefined
      current.record = entry.record
      current.from = entry.from
      if (entry.state === 'failed') throw processingError(this.#args.node, entry.result)
      if (entry.result === undefined) throw processingError(this.#args.node, noResult(undefined, 'mapper'))
      this.#head++
      this.#compact()
      next(entry.key, entry.result as R, entry.timestamp, entry.headers)
    }
  }

  /** Gives up calls that have taken too long. */
  expire(now: number): void {
    const { timeoutMs } = this.#args
    for (let at = this.#head; at < this.#uncalled; at++) {
      const entry = this.#entries[at] as Entry<K, V>
      if (entry.state !== 'called' || entry.deadline > now) continue
      this.#underWay--
      entry.abandon('failed', new Error(`a call did not end within ${timeoutMs} ms`))
      this.#args.ready()
    }
  }

  /** Forgets every record; what still ends has nobody waiting. */
  clear(): void {
    for (const entry of this.#entries.slice(this.#head)) entry.abandon('dropped', new Error('the record is given up'))
    this.#entries = []
    this.#head = 0
    this.#uncalled = 0
    this.#underWay = 0
  }

  #callNext(): void {
    const { concurrency } = this.#args
    while (this.#underWay < concurrency && this.#uncalled < this.#entries.length) {
      this.#call(this.#entries[this.#uncalled++] as Entry<K, V>)
    }
  }

  #call(entry: Entry<K, V>): void {
    const { mapper, clock, timeoutMs } = this.#args
    entry.state = 'called'
    entry.deadline = clock() + timeoutMs
    this.#underWay++
    let result: unknown
    try {
      result = mapper(entry.value, entry.key, entry)
    } catch (thrown) {
      this.#ended(entry, 'failed', thrown)
      return
    }
    if (typeof (result as PromiseLike<unknown> | null | undefined)?.then !== 'function') {
      this.#ended(entry, 'done', result)
      return
    }
    void (result as PromiseLike<unknown>).then(
      (value) => this.#ended(entry, 'done', value),
      (reason: unknown) => this.#ended(entry, 'failed', reason),
    )
  }

  #ended(entry: Entry<K, V>, state: State, result: unknown): void {
    if (entry.state !== 'called') return
    entry.state = state
    entry.result = result
    this.#underWay--
    this.#callNext()
    if (entry === this.#entries[this.#head]) this.#args.ready()
  }

  /** Entries that were run on make room from time to time, so that the queue costs the same whatever has gone through it. */
  #compact(): void {
    if (this.#head < this.#entries.length && this.#head < 1024) return
    this.#entries = this.#entries.slice(this.#head)
    this.#uncalled -= this.#head
    this.#head = 0
  }
}

/** The stages of a task. */
export class Calls {
  readonly #stages: CallStage[] = []
  /** Told when something can be run on. */
  ready: () => void = () => undefined

  /** The compiler adds a stage before those that feed it. */
  add(stage: CallStage): void {
    this.#stages.unshift(stage)
  }

  /** No call is ever made here. */
  get isNone(): boolean {
    return this.#stages.length === 0
  }

  /** Records whose result is not out. */
  get inFlight(): number {
    let records = 0
    for (const stage of this.#stages) records += stage.inFlight
    return records
  }

  /** Whether no further record may be taken for now. */
  get isFull(): boolean {
    return this.#stages.some((stage) => stage.isFull)
  }

  get deadline(): number {
    return this.#stages.reduce((least, stage) => Math.min(least, stage.deadline), Number.POSITIVE_INFINITY)
  }

  drain(): void {
    for (const stage of this.#stages) stage.drain()
  }

  expire(now: number): void {
    for (const stage of this.#stages) stage.expire(now)
  }

  clear(): void {
    for (const stage of this.#stages) stage.clear()
  }
}
