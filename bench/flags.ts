/** The flags of `npm run bench`; what cannot be meant is refused in words. */

import { parseArgs } from 'node:util'
import { axes } from './growth/axes.ts'
import { type Axis, fullRecords } from './growth/axis.ts'
import type { Growth } from './growth/growth.ts'
import type { SideName } from './sides/side.ts'
import type { WorkloadKind } from './workload.ts'
import { workloads } from './workloads.ts'

export interface Flags {
  readonly kinds: readonly WorkloadKind[]
  readonly sides: readonly SideName[]
  readonly records: number
  readonly runs: number
  readonly threads: number
  readonly latency: boolean
  readonly restore: boolean
  readonly inProcess: boolean
  /** A file. */
  readonly compare: string | undefined
  /** A directory. */
  readonly profile: string | undefined
  readonly json: boolean
  /** Undefined measures the workloads. */
  readonly growth: Growth | undefined
}

export class FlagError extends Error {}

const sideNames: readonly SideName[] = ['ours', 'kafkaStreams', 'kafkajs', 'franzGo']

/** @throws FlagError, or the TypeError of parseArgs. */
export function readFlags(args: readonly string[]): Flags {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      peers: { type: 'boolean', default: false },
      sides: { type: 'string' },
      records: { type: 'string' },
      runs: { type: 'string', default: '3' },
      threads: { type: 'string', default: '1' },
      latency: { type: 'boolean', default: false },
      restore: { type: 'boolean', default: false },
      'in-process': { type: 'boolean', default: false },
      compare: { type: 'string' },
      profile: { type: 'string' },
      json: { type: 'boolean', default: false },
      growth: { type: 'boolean', default: false },
      axes: { type: 'string' },
      kafka: { type: 'boolean', default: false },
      plots: { type: 'string' },
    },
  })
  const { only, compare, profile, latency, restore, json } = values
  return {
    kinds: [...workloads.values()].filter(({ name }) => only === undefined || name === one('--only', only)),
    sides: values.sides === undefined ? (values.peers ? sideNames : ['ours']) : listed(values.sides),
    records: wholeNumber('--records', values.records ?? '2000000'),
    runs: wholeNumber('--runs', values.runs),
    threads: wholeNumber('--threads', values.threads),
    inProcess: values['in-process'],
    compare,
    profile: profile === undefined ? undefined : profileInto(profile, values),
    latency,
    restore,
    json,
    growth: growthOf(values),
  }
}

interface GrowthValues {
  readonly growth: boolean
  readonly axes?: string
  readonly kafka: boolean
  readonly plots?: string
  readonly records?: string
  readonly json: boolean
}

/** What only a workload can be measured with. */
const ofWorkloads = ['only', 'peers', 'sides', 'latency', 'restore', 'in-process', 'compare', 'profile'] as const

function growthOf(values: GrowthValues & Partial<Record<(typeof ofWorkloads)[number], unknown>>): Growth | undefined {
  const { growth, kafka, plots, records, json } = values
  if (!growth) {
    const alone = (['axes', 'kafka', 'plots'] as const).find((flag) => values[flag])
    if (alone !== undefined) throw new FlagError(`--${alone} goes with --growth`)
    return undefined
  }
  const other = ofWorkloads.find((flag) => values[flag])
  if (other !== undefined) throw new FlagError(`--growth is not together with --${other}`)
  return {
    axes: values.axes === undefined ? [...axes.values()] : listedAxes(values.axes, kafka),
    records: wholeNumber('--records', records ?? String(fullRecords)),
    kafka,
    plots,
    json,
  }
}

function listedAxes(text: string, kafka: boolean): readonly Axis[] {
  return text.split(',').map((name) => {
    const axis = axes.get(name)
    if (axis === undefined)
      throw new FlagError(`--axes: there is no axis ${name}; there are ${[...axes.keys()].join(', ')}`)
    if (axis.onlyOnKafka && !kafka) throw new FlagError(`--axes: ${name} is measured with --kafka only`)
    return axis
  })
}

function one(flag: string, name: string): string {
  if (workloads.has(name)) return name
  throw new FlagError(`${flag}: there is no workload ${name}; there are ${[...workloads.keys()].join(', ')}`)
}

function listed(text: string): readonly SideName[] {
  const wanted = text.split(',')
  const unknown = wanted.find((name) => !sideNames.some((side) => side === name))
  if (unknown !== undefined)
    throw new FlagError(`--sides: there is no side ${unknown}; there are ${sideNames.join(', ')}`)
  return sideNames.filter((name) => wanted.includes(name))
}

interface BesideProfile {
  readonly 'in-process': boolean
  readonly sides?: string
  readonly compare?: string
  readonly latency: boolean
  readonly restore: boolean
  readonly json: boolean
}

/** A profile is of one kind of run: what else is measured would be in it, or would not be measured at all. */
function profileInto(dir: string, values: BesideProfile): string {
  const refused = values['in-process'] ? (['compare', 'json'] as const) : (['latency', 'restore'] as const)
  const given = refused.find((flag) => values[flag])
  if (given !== undefined) {
    throw new FlagError(`--profile is not together with --${given}${values['in-process'] ? ' and --in-process' : ''}`)
  }
  if (values.sides?.split(',').includes('ours') === false) {
    throw new FlagError('--profile is of our engine, which --sides leaves out')
  }
  return dir
}

export function wholeNumber(flag: string, text: string): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < 1) {
    throw new FlagError(`${flag} takes a whole number above 0, not ${text}`)
  }
  return number
}
