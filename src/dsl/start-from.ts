/** Where a source starts that the group has no position of: what it may be, and what two calls that read one topic make of it. */

import type { Duration } from '../common/time.ts'
import type { SourceLocation, StartFrom } from '../topology/node.ts'
import { invalid, requireDuration } from './invalid.ts'

export type StartFromOption = 'earliest' | 'latest' | 'none' | { readonly ago: Duration }

/** @throws StreamError INVALID_TOPOLOGY when it is none of them. */
export function startFrom(given: unknown, node: string, site: SourceLocation | undefined): StartFrom | undefined {
  if (given === undefined || given === 'earliest' || given === 'latest' || given === 'none') return given
  if (typeof given === 'object' && given !== null && 'ago' in given) {
    return Object.freeze({ agoMs: requireDuration(given.ago, 'startFrom.ago', node, site) })
  }
  throw invalid(
    `${node}: startFrom is ${JSON.stringify(given)}`,
    "Give 'earliest', 'latest', 'none' or { ago: '1h' }; without it the application's holds (--from).",
    node,
    site,
  )
}

/** Of a table: it is all rows of its topic. @throws StreamError INVALID_TOPOLOGY where it would start amid them. */
export function tableStartFrom(given: unknown, node: string, site: SourceLocation | undefined): 'earliest' | 'none' {
  const from = startFrom(given, node, site) ?? 'earliest'
  if (from === 'earliest' || from === 'none') return from
  throw invalid(
    `${node}: a table that starts amid its topic lacks the rows from before`,
    `Leave startFrom out. For a table of what comes from then on: b.stream(topic, { startFrom: … }).toTable('<store>').`,
    node,
    site,
  )
}

/** What one source does for two calls; a call that says nothing misses nothing with `earliest`. Undefined where they differ. */
export function agreed(
  one: StartFrom | undefined,
  other: StartFrom | undefined,
): { readonly startFrom: StartFrom | undefined } | undefined {
  if (isSame(one, other)) return { startFrom: one }
  const [said, unsaid] = one === undefined ? [other, one] : [one, other]
  return said === 'earliest' && unsaid === undefined ? { startFrom: said } : undefined
}

function isSame(one: StartFrom | undefined, other: StartFrom | undefined): boolean {
  return one === other || (typeof one === 'object' && typeof other === 'object' && one.agoMs === other.agoMs)
}
