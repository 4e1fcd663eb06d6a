/** `npm run bench operators`: what each operator costs a record, without a broker, and whether it depends on how much state lies in its window. */

import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { FlagError, wholeNumber } from '../flags.ts'
import { load, machine } from '../settings.ts'
import { execute } from '../sides/execute.ts'
import { cases, widthCases } from './cases.ts'
import { roomy } from './measure.ts'
import { type Measured, operatorResults, ratioLimit, type WidthResult } from './result.ts'
import { operatorTable, widthTable } from './table.ts'

export interface OperatorFlags {
  /** Undefined measures all. */
  readonly only: readonly string[] | undefined
  /** Of a round. */
  readonly records: number
  readonly json: boolean
}

/** Below, an engine is hardly warmed up. */
const fullRecords = 500_000
/** More would hardly fit into the young generation. */
const countedRecords = 200_000

/** @throws FlagError, or the TypeError of parseArgs. */
export function readOperatorFlags(args: readonly string[]): OperatorFlags {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      records: { type: 'string', default: String(fullRecords) },
      json: { type: 'boolean', default: false },
    },
  })
  return {
    only: values.only === undefined ? undefined : listed(values.only),
    records: wholeNumber('--records', values.records),
    json: values.json,
  }
}

function listed(text: string): readonly string[] {
  const names = new Set([...cases, ...widthCases].map(({ name }) => name))
  return text.split(',').map((name) => {
    if (names.has(name)) return name
    throw new FlagError(`--only: there is no operator ${name}; there are ${[...names].join(', ')}`)
  })
}

/** @returns the exit status. */
export async function operators({ only, records, json }: OperatorFlags, say: (line: string) => void): Promise<number> {
  const loadBefore = load()
  const chosen = ({ name }: { readonly name: string }) => only === undefined || only.includes(name)
  const overOf = new Map(cases.map(({ name, over }, at) => [name, at === 0 ? undefined : (over ?? cases[0]?.name)]))
  const measured = new Map<string, Measured>()
  for (const { name } of cases) {
    const needed = cases.some((other) => chosen(other) && overOf.get(other.name) === name)
    if (!needed && !chosen({ name })) continue
    say(name)
    measured.set(name, await inChild(name, records))
  }
  const widths: WidthResult[] = []
  for (const { name, summary, narrow: narrowMs, wide: wideMs } of widthCases.filter(chosen)) {
    say(`${name}, ${narrowMs} and ${wideMs} ms`)
    const narrow = await inChild(`${name}@narrow`, records)
    const wide = await inChild(`${name}@wide`, records)
    const ratio = rounded(wide.nanoseconds / Math.max(1, narrow.nanoseconds))
    widths.push({ name, summary, narrowMs, wideMs, narrow, wide, ratio })
  }
  const results = operatorResults(measured, (name) => overOf.get(name))
  const settings = { records, machine: machine(), loadBefore, loadAfter: load() }
  process.stdout.write(
    json
      ? `${JSON.stringify({ settings, operators: results, widths })}\n`
      : [operatorTable(results), widthTable(widths)].filter((part) => part !== '').join('\n'),
  )
  if (records < fullRecords) {
    say(
      `note: with fewer than ${fullRecords.toLocaleString('en')} records compiling is in the numbers, and no ratio counts`,
    )
    return 0
  }
  const worse = widths.filter(({ ratio }) => ratio > ratioLimit)
  for (const { name, ratio } of worse) say(`grows with its window: ${name} costs ${ratio} times at the wide one`)
  return worse.length === 0 ? 0 : 1
}

const program = fileURLToPath(new URL('child.ts', import.meta.url))

async function inChild(name: string, records: number): Promise<Measured> {
  const run = async (flags: readonly string[], what: string, count: number): Promise<number> =>
    Math.round(Number(await execute(process.execPath, [...flags, program, what, name, String(count)])))
  const nanoseconds = await run([], 'time', records)
  return { nanoseconds, bytes: await run(roomy, 'bytes', Math.min(records, countedRecords)) }
}

function rounded(ratio: number): number {
  return Math.round(ratio * 100) / 100
}
