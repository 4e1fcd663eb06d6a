/**
 * How many different texts were seen, about, in a fixed number of bytes (HyperLogLog, P. Flajolet et al. 2007), with the estimator of O. Ertl 2017
 * (arXiv:1702.01284), which needs no correction for few or many. A register holds the longest run of zeros among the hashes that fell to it.
 */

import { ByteTarget } from './bytes.ts'
import { murmur3 } from './hash.ts'

/** Hash bits that make the run of a register; another hash chooses the register. */
const runBits = 32
const mostRun = runBits + 1
const placeSeed = 0x9747b28c
const runSeed = 0x5bd1e995

export const leastPrecision = 4
export const mostPrecision = 16

/** One register a byte, 2^precision of them. */
export type Registers = Uint8Array

export function noRegisters(precision: number): Registers {
  return new Uint8Array(2 ** precision)
}

const target = new ByteTarget()

/** The registers with one more text: a copy, or the same ones where it changes nothing. */
export function withText(registers: Registers, text: string): Registers {
  target.clear()
  target.writeText(text)
  const { buffer, length } = target
  const place = murmur3(buffer, 0, length, placeSeed) & (registers.length - 1)
  const run = Math.clz32(murmur3(buffer, 0, length, runSeed)) + 1
  if ((registers[place] as number) >= run) return registers
  const copy = Uint8Array.from(registers)
  copy[place] = run
  return copy
}

/** The registers of both, which must be as many. */
export function merged(one: Registers, other: Registers): Registers {
  return one.map((run, place) => Math.max(run, other[place] as number))
}

/** Within about 1.04 / sqrt(registers), relative, in two of three cases. */
export function estimateOf(registers: Registers): number {
  const size = registers.length
  const counts = new Array<number>(mostRun + 1).fill(0)
  for (const run of registers) counts[run] = (counts[run] as number) + 1
  let sum = size * tau(1 - (counts[mostRun] as number) / size)
  for (let run = runBits; run >= 1; run--) sum = 0.5 * (sum + (counts[run] as number))
  sum += size * sigma((counts[0] as number) / size)
  return (size * size) / (2 * Math.LN2 * sum)
}

/** Of the share of empty registers. */
function sigma(share: number): number {
  if (share === 1) return Number.POSITIVE_INFINITY
  let x = share
  let y = 1
  let sum = share
  for (let before = -1; sum !== before; ) {
    before = sum
    x *= x
    sum += x * y
    y += y
  }
  return sum
}

/** Of the share of registers that are not full. */
function tau(share: number): number {
  if (share === 0 || share === 1) return 0
  let x = share
  let y = 1
  let sum = 1 - share
  for (let before = -1; sum !== before; ) {
    before = sum
    x = Math.sqrt(x)
    y *= 0.5
    sum -= (1 - x) ** 2 * y
  }
  return sum / 3
}
