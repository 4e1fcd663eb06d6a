/** A profile as a page of text whose lines stay where they are, so that two of them can be compared by `diff`. */

import type { Cost } from './cost.ts'
import type { CpuCosts } from './cpu.ts'
import { parts } from './parts.ts'

/** Of each table. */
const topSites = 15

const partWidth = 24

/** A page of paragraphs. */
export function page(paragraphs: readonly (readonly string[])[]): string {
  return `${paragraphs.map((lines) => lines.join('\n')).join('\n\n')}\n`
}

/** How far the engine is from the floor, in CPU seconds per million records. */
export interface Distance {
  readonly engine: number
  /** The part of it that a profile shares out, where it is known. */
  readonly mainThread?: number
  readonly floor: number
}

export function distance({ engine, mainThread, floor }: Distance): readonly string[] {
  const width = 19
  const line = (what: string, perMillion: number) =>
    `${what.padEnd(width)} ${perMillion.toFixed(2).padStart(13)} ${String(Math.round(perMillion * 1000)).padStart(11)}`
  return [
    `${''.padEnd(width)} s per million   ns/record`,
    line('engine', engine),
    ...(mainThread === undefined ? [] : [line('  its main thread', mainThread)]),
    line('floor', floor),
    line('distance', engine - floor),
    `The engine takes ${(engine / floor).toFixed(2)} times the floor.`,
  ]
}

/**
 * Waiting comes beneath the time that was used.
 * @param nsPerRecord what is shared out: a profiler's clock goes on while another process has the core.
 */
export function cpuTables({ costs, idle }: CpuCosts, nsPerRecord: number): readonly (readonly string[])[] {
  const used = sum(costs)
  return tables(costs, { unit: 'ns/record', perRecord: (amount) => (amount / used) * nsPerRecord, idle })
}

export function allocationTables(costs: readonly Cost[], records: number): readonly (readonly string[])[] {
  return tables(costs, { unit: 'bytes/record', perRecord: (amount) => amount / records })
}

interface Units {
  readonly unit: string
  /** In this unit. */
  readonly perRecord: (amount: number) => number
  /** Shown beneath what all costs add up to, as a share of that. */
  readonly idle?: number
}

/** What each part of the engine costs, every part on a line of its own; then the dearest functions. */
function tables(costs: readonly Cost[], { unit, perRecord, idle }: Units): readonly (readonly string[])[] {
  const total = sum(costs)
  const cells = (amount: number) =>
    `${percent(amount, total).padStart(7)} ${String(Math.round(perRecord(amount))).padStart(unit.length + 2)}`
  const head = (what: string, width: number) => `${what.padEnd(width)}   share   ${unit}`
  const byPart = parts.map((part) => {
    const amount = sum(costs.filter((cost) => cost.part === part))
    return `${part.padEnd(partWidth)} ${cells(amount)}`
  })
  const all = `${'all'.padEnd(partWidth)} ${cells(total)}`
  const waiting = idle === undefined ? [] : [`${'waiting/idle'.padEnd(partWidth)} ${cells(idle)}`]
  const bySite = sites(costs).map(([site, amount]) => `${cells(amount)}   ${site}`)
  return [
    [head('part', partWidth), ...byPart, all, ...waiting],
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

function percent(amount: number, total: number): string {
  return `${((total === 0 ? 0 : amount / total) * 100).toFixed(1)} %`
}
