/** Parsers of option values: each refuses what it cannot mean, and an option given twice. */

import { InvalidArgumentError } from 'commander'
import type { StreamError } from '../common/errors.ts'
import { type Duration, durationMs } from '../common/time.ts'
import { isLegalName } from '../serde/topic.ts'
import { checkTopicConfigs } from '../topology/internal-topics.ts'

/** Commander hands over the earlier value of the same option; ours have no default there, so it is a repetition. */
export function once<T>(parse: (text: string) => T): (text: string, previous: T | undefined) => T {
  return (text, previous) => {
    if (previous !== undefined) throw new InvalidArgumentError('It is given twice; give it once.')
    return parse(text)
  }
}

export function collect<T>(parse: (text: string) => T): (text: string, previous: readonly T[] | undefined) => T[] {
  return (text, previous) => [...(previous ?? []), parse(text)]
}

export function text(value: string): string {
  if (value === '') throw new InvalidArgumentError('It is empty.')
  return value
}

/** Whole numbers of an option, within bounds. */
export function wholeNumber(least: number, most: number): (value: string) => number {
  return (value) => {
    const number = /^-?\d+$/.test(value) ? Number(value) : Number.NaN
    if (!(number >= least && number <= most)) {
      throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`)
    }
    return number
  }
}

/** Milliseconds of `250ms`, `30s`, `5m`; at least 1 ms, at most 24 days, which is what a timer holds. */
export function duration(value: string): number {
  let ms = Number.NaN
  try {
    ms = durationMs(value as Duration)
  } catch {
    // Told below, in the words of an option.
  }
  if (Number.isNaN(ms)) throw new InvalidArgumentError('Give a number with its unit, such as 250ms, 30s or 5m.')
  if (ms < 1 || ms > 0x7fffffff) throw new InvalidArgumentError('Give a duration from 1ms to 24d.')
  return ms
}

export function oneOf<T extends string>(...choices: readonly T[]): (value: string) => T {
  return (value) => {
    const choice = choices.find((candidate) => candidate === value)
    if (choice === undefined) throw new InvalidArgumentError(`Give ${choices.join(' or ')}.`)
    return choice
  }
}

/** Names of topics, applications and instances: Kafka's rule, which also keeps them inside their directory. */
export function legalName(value: string): string {
  if (!isLegalName(value)) {
    throw new InvalidArgumentError("Use 1 to 249 of the characters a-z A-Z 0-9 . _ - (and not '.' or '..').")
  }
  return value
}

/** A topic and the file (or `-`) bound to it. */
export interface TopicFile {
  readonly topic: string
  readonly file: string
}

export function topicFile(value: string): TopicFile {
  const at = value.indexOf('=')
  if (at < 1 || at === value.length - 1) {
    throw new InvalidArgumentError('Give topic=file, or topic=- for the standard stream.')
  }
  return { topic: legalName(value.slice(0, at)), file: value.slice(at + 1) }
}

export interface TopicConfig {
  readonly name: string
  readonly value: string
}

/** A config of internal topics. */
export function topicConfig(given: string): TopicConfig {
  const at = given.indexOf('=')
  if (at < 1 || at === given.length - 1) {
    throw new InvalidArgumentError('Give name=value, such as min.insync.replicas=2.')
  }
  const [name, value] = [given.slice(0, at), given.slice(at + 1)]
  try {
    checkTopicConfigs({ [name]: value })
  } catch (thrown) {
    const { message, hint } = thrown as StreamError
    throw new InvalidArgumentError(`${message.charAt(0).toUpperCase()}${message.slice(1)}. ${hint}`)
  }
  return { name, value }
}

/** Where to start: `earliest`, `latest` or an offset. */
export type StartAt = 'earliest' | 'latest' | number

export function startAt(value: string): StartAt {
  if (value === 'earliest' || value === 'latest') return value
  const number = /^\d+$/.test(value) ? Number(value) : Number.NaN
  if (!Number.isSafeInteger(number)) throw new InvalidArgumentError('Give earliest, latest or an offset.')
  return number
}
