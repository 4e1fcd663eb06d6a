/** The errors of a topology that cannot be: each names the operator, the user's line and the way out. */

import { StreamError } from '../common/errors.ts'
import { type Duration, durationMs } from '../common/time.ts'
import { isLegalName } from '../serde/topic.ts'
import type { SourceLocation } from '../topology/node.ts'

export function invalid(message: string, hint: string, node: string, site: SourceLocation | undefined): StreamError {
  return new StreamError('INVALID_TOPOLOGY', message, { hint, where: { node, ...site } })
}

/** @throws StreamError INVALID_TOPOLOGY when the name is not one for stores, topics and processors. */
export function requireName(name: unknown, what: string, node: string, site: SourceLocation | undefined): string {
  if (typeof name === 'string' && isLegalName(name)) return name
  throw invalid(
    `${node}: ${name === undefined ? `no ${what} is given` : `the ${what} ${JSON.stringify(name)} is not a legal name`}`,
    `Give the ${what} 1 to 249 of the characters a-z A-Z 0-9 . _ -`,
    node,
    site,
  )
}

/** @throws StreamError INVALID_TOPOLOGY when it is no function. */
export function requireFunction<F>(given: F, what: string, node: string, site: SourceLocation | undefined): F {
  if (typeof given === 'function') return given
  throw invalid(
    `${node}: the ${what} is not a function but ${given === null ? 'null' : typeof given}`,
    'Pass a function of (value, key).',
    node,
    site,
  )
}

/**
 * A function whose result is used at once: a promise would be taken for it.
 * @throws StreamError INVALID_TOPOLOGY when it is no function, or an async one.
 */
export function requireSync<F>(given: F, what: string, node: string, site: SourceLocation | undefined): F {
  const fn = requireFunction(given, what, node, site)
  if (!/^\[object Async/.test(Object.prototype.toString.call(fn))) return fn
  throw invalid(
    `${node}: the ${what} is async, and its promise would be taken for its result`,
    'Let it return the result itself: a record is processed without waiting.',
    node,
    site,
  )
}

/** Milliseconds. @throws StreamError INVALID_TOPOLOGY when it is no duration. */
export function requireDuration(given: unknown, what: string, node: string, site: SourceLocation | undefined): number {
  try {
    return durationMs(given as Duration, what)
  } catch (thrown) {
    const { message, hint = '' } = thrown as StreamError
    throw invalid(`${node}: ${message}`, hint, node, site)
  }
}

/**
 * Milliseconds above 0.
 * @param example how the call looks with it: `within: '1h'`.
 * @throws StreamError INVALID_TOPOLOGY when it is no such duration.
 */
export function requirePeriod(
  given: unknown,
  what: string,
  example: string,
  node: string,
  site: SourceLocation | undefined,
): number {
  const fix = `Give a time above 0, in ms or with a unit: ${example}.`
  if (given === undefined) throw invalid(`${node}: \`${what}\` is not given`, fix, node, site)
  const ms = requireDuration(given, what, node, site)
  if (ms === 0) throw invalid(`${node}: \`${what}\` is 0 ms`, fix, node, site)
  return ms
}

/** What a key-value store has of a ttl. */
export function ttlOf(given: unknown, store: string, site: SourceLocation | undefined): { readonly ttlMs?: number } {
  return given === undefined ? {} : { ttlMs: requirePeriod(given, 'ttl', "ttl: '1d'", store, site) }
}

/** `a.ts:12`, for messages that speak of two places. */
function placeOf(site: SourceLocation | undefined): string {
  return site === undefined ? 'elsewhere' : `${site.file}:${site.line}`
}

/** Two places as one phrase; when both are on one line, it is named once. */
export function placesOf(first: SourceLocation | undefined, second: SourceLocation | undefined): string {
  const [one, other] = [placeOf(first), placeOf(second)]
  return one === other ? `both at ${one}` : `at ${one} and at ${other}`
}
