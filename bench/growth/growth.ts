/** `npm run bench -- --growth`: measures, prints and draws, and tells whether anything grows faster than its work. */

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { load, machine } from '../settings.ts'
import { fullRecords } from './axis.ts'
import { plots } from './plots.ts'
import { type GrowthOptions, runGrowth } from './session.ts'
import { growthTable } from './table.ts'

export interface Growth extends Omit<GrowthOptions, 'say'> {
  /** Directory of the charts; undefined draws none. */
  readonly plots: string | undefined
  readonly json: boolean
}

/** @returns whether every axis grows as it should; a shortened run only says what it saw. */
export async function growth(wanted: Growth, say: (line: string) => void): Promise<boolean> {
  const counts = wanted.records >= fullRecords
  if (!counts) say(`note: with fewer than ${fullRecords.toLocaleString('en')} records no verdict counts`)
  const loadBefore = load()
  const results = await runGrowth({ ...wanted, say })
  const settings = { records: wanted.records, machine: machine(), loadBefore, loadAfter: load() }
  process.stdout.write(wanted.json ? `${JSON.stringify({ settings, growth: results })}\n` : growthTable(results))
  if (wanted.plots !== undefined) {
    await mkdir(wanted.plots, { recursive: true })
    for (const [name, svg] of plots(results)) await writeFile(join(wanted.plots, `${name}.svg`), svg)
  }
  if (!counts) return true
  const failures = results.flatMap(({ name, broker, verdict }) =>
    verdict.failures.map((failure) => `${name}, ${broker}: ${failure}`),
  )
  for (const failure of failures) say(`grows too fast: ${failure}`)
  return failures.length === 0
}
