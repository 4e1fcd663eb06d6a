/** A profile as a page of text whose lines stay where they are, so that two of them can be compared by `diff`. */

import type { Cost } from './cost.ts'
import { parts } from './parts.ts'

/** Of each table. */
const topSites = 15

const partWidth = 24

/** A page of paragraphs. */
export function page(paragraphs: readonly (readonly string[])[]): string {
  return `${paragraphs.map((lines) => lines.join('\n')).join('\n\n')}\n`
}

/**
 * What each part of the engine costs, every part on a line of its own, and then what its dearest functions do.
 * @param unit of a record's share, as in `ns/record`.
 * @param perRecord a record's share of an amount.
 */
export function tables(
  costs: readonly Cost[],
  unit: string,
  perRecord: (amount: number) => number,
): readonly (readonly string[])[] {
  const total = sum(costs)
  const cells = (amount: number) =>
    `${percent(amount, total).padStart(7)} ${String(Math.round(perRecord(amount))).padStart(unit.length + 2)}`
  const head = (what: string, width: number) => `${what.padEnd(width)}   share   ${unit}`
  const byPart = parts.map((part) => {
    const amount = sum(costs.filter((cost) => cost.part === part))
    return `${part.padEnd(partWidth)} ${cells(amount)}`
  })
  const all = `${'all'.padEnd(partWidth)} ${cells(total)}`
  const bySite = sites(costs).map(([site, amount]) => `${cells(amount)}   ${site}`)
  return [
    [head('part', partWidth), ...byPart, all],
    [`  share   ${unit}   function`, ...bySite],
  ]
}

/** The dearest first; what costs the same by name. */
function sites(costs: readonly Cost[]): readonly (readonly [site: string, amount: number])[] {
  const bySite = new Map<string, number>()
  for (const { site, amount } of costs) bySite.set(site, (bySite.get(site) ?? 0) + amount)
  return [...bySite]
    .filter(([site]) => !/^\((garbage collector|program|root)\)$/.test(site))
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .slice(0, topSites)
}

function sum(costs: readonly Cost[]): number {
  return costs.reduce((total, { amount }) => total + amount, 0)
}

export function percent(amount: number, total: number): string {
  return `${((total === 0 ? 0 : amount / total) * 100).toFixed(1)} %`
}
