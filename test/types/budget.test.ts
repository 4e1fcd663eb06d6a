/** A long topology stays quick to check: what the compiler does for an operator does not grow with the operators before it. */

import { join } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { root } from '../docs/blocks.ts'
import { compile, errorsOf, sourceOf } from './compiler.ts'

const prelude = `
import { defineTopology, double, int64, json, otherwise, string, topic, Windows } from '../../src/index.ts'
interface Start { readonly id: string; readonly amount: number; readonly note: string | null }
const input = topic('input', { key: string, value: json<Start>() })
const rows = topic('rows', { key: string, value: json<{ readonly label: string }>() })
export default defineTopology('long', (b) => {
  const table = b.table(rows, { store: 'rows' })
  const s0 = b.stream(input).mapValues((v) => ({ ...v, step: 0 as const }))
`

/** One operator after the other, each over the type that the one before gave; every round ends in another type than it began with. */
const round: readonly ((from: string, nth: number) => string)[] = [
  (from, nth) => `${from}.mapValues((v) => ({ ...v, amount: v.amount + 1, step: ${nth} as const }))`,
  (from, nth) => `${from}.filter('large-${nth}', (v) => v.amount > v.step)`,
  (from) => `${from}.selectKey((v, key) => key + v.id)`,
  (from) => `${from}.flatMapValues((v) => [v, { ...v, note: null }])`,
  (from, nth) =>
    `${from}.join(table, (v, row, key) => ({ ...v, note: row.label + key }), { name: 'join-${nth}', key: string, value: json })`,
  (from) => `${from}.map((v, key) => [key, v])`,
  (from, nth) => `${from}.repartition('again-${nth}', { key: string, value: json })`,
  (from) => `${from}.filterNot((v): v is typeof v & { readonly note: null } => v.note === null)`,
  (from, nth) =>
    `${from}.groupByKey().windowedBy(Windows.tumbling('1m', { grace: '1m' })).reduce('newest-${nth}', (_, v) => v, { serde: json }).toStream().map((v, { key }) => [key, v])`,
  (from) => `${from}.split({ low: (v) => v.amount < 1, rest: otherwise }).rest.peek((v) => void v.step)`,
]

function chain(operators: number): string {
  const lines = Array.from(
    { length: operators },
    (_, i) => `  const s${i + 1} = ${round[i % round.length]?.(`s${i}`, i + 1)}`,
  )
  return `${prelude}${lines.join('\n')}
  s${operators}.mapValues((v) => v.amount).to(topic('out', { key: string, value: double }))
  b.stream(input).groupByKey().count('n').toStream().to(topic('counts', { key: string, value: int64 }))
})
`
}

/** The last one, which lends the next what it has read. */
let last: ts.Program | undefined

interface Checked {
  readonly errors: readonly string[]
  readonly instantiations: number
  /** CPU of this thread. */
  readonly seconds: number
}

function check(text: string): Checked {
  const name = join(root, 'test/types/long.ts')
  const program = compile(new Map([[name, text]]), last)
  last = program
  const source = sourceOf(program, name)
  const started = process.threadCpuUsage()
  const found = errorsOf(program, source)
  const { user, system } = process.threadCpuUsage(started)
  const errors = found.map(({ position, message }) => {
    const { line } = ts.getLineAndCharacterOfPosition(source, position)
    return `${line + 1}: ${message}`
  })
  return { errors, instantiations: program.getInstantiationCount(), seconds: (user + system) / 1e6 }
}

/** Now 32,209. It is the same on every machine. */
const instantiations = 45_000

test('300 operators type-check in under 2 seconds, the last ones at the cost of the first', { timeout: 60_000 }, () => {
  const few = check(chain(30))
  const more = check(chain(60))
  const many = check(chain(300))
  expect([few.errors, more.errors, many.errors]).toEqual([[], [], []])
  const early = (more.instantiations - few.instantiations) / 30
  const late = (many.instantiations - more.instantiations) / 240
  expect(many.instantiations).toBeLessThan(instantiations)
  expect(late / early).toBeLessThan(1.05)
  expect(many.seconds).toBeLessThan(2)
})

test('an error at the end of it is seen', { timeout: 60_000 }, () => {
  const wrong = chain(300).replace('s300.mapValues((v) => v.amount)', 's300.mapValues((v) => v.amout)')
  expect(check(wrong).errors).toEqual([expect.stringMatching(/Property 'amout' does not exist/)])
})
