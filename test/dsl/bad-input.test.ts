/** What a topology is given that cannot be: refused when it is built, with the operator's name and the user's line, or told when a record meets it. */

import { readFileSync } from 'node:fs'
import {
  double,
  int64,
  json,
  otherwise,
  type StreamsBuilder,
  store,
  string,
  topic,
  topicPattern,
  Windows,
} from 'streamctl'
import { describe, expect, test } from 'vitest'
import { StreamError } from '../../src/common/errors.ts'
import { defineTopology } from '../../src/dsl/define.ts'
import { planWith } from '../../src/runtime/plan.ts'
import { createTestDriver, type TestDriver } from '../../src/testing/driver.ts'
import { refusal } from './fixtures.ts'

// biome-ignore lint/suspicious/noExplicitAny: what the compiler would refuse, as JavaScript passes it.
type Any = any

const input = topic('input', { key: string, value: json<Any>() })
const output = topic('output', { key: string, value: json<Any>() })
const text = topic('text', { key: string, value: string })
const other = topic('other', { key: string, value: json<Any>() })
const anyInput = topicPattern(/in.*/, { key: string, value: json<Any>() })
const any = (value: unknown): Any => value

const minute = Windows.tumbling('1m', { grace: 0 })
const sum = { init: () => 0, add: (total: number, n: number) => total + n, serde: double }

/** What it is, how it is built, what is said, and the operator that is named. */
type Refused = readonly [what: string, build: (b: Any) => unknown, says: RegExp, node: string]

const refused: readonly Refused[] = [
  ['no source', () => undefined, /^the topology t reads no topic$/, 't'],
  ['no topic', (b) => b.stream([]), /^stream was given no topic$/, 'stream'],
  ['no topic to write to', (b) => b.stream(input).to(undefined), /was not given a topic/, 'input.to'],
  ['a name for a topic', (b) => b.stream(input).to('output'), /was not given a topic/, 'input.to'],
  ['no function', (b) => b.stream(input).map(), /the argument is not a function but undefined/, 'input.map'],
  ['no branch', (b) => b.stream(input).split({}), /has no branch/, 'input.split'],
  [
    'a branch after the rest',
    (b) => b.stream(input).split({ a: otherwise, b: Boolean }),
    /no record reaches/,
    'input.split',
  ],
  ['no store name', (b) => b.stream(input).groupByKey().count(), /no store name is given/, 'count'],
  ['no store name of a table', (b) => b.table(input), /no store name is given/, 'input.table'],
  ['an empty name', (b) => b.stream(input).groupByKey().count(''), /"" is not a legal name/, 'count'],
  ['two dots', (b) => b.stream(input).groupByKey().count('..'), /"\.\." is not a legal name/, 'count'],
  ['a slash', (b) => b.stream(input).groupByKey().count('a/b'), /"a\/b" is not a legal name/, 'count'],
  ['a line end', (b) => b.stream(input).groupByKey().count('a\n'), /"a\\n" is not a legal name/, 'count'],
  ['250 characters', (b) => b.stream(input).repartition('a'.repeat(250)), /is not a legal name/, 'input.repartition'],
  [
    'a store name twice',
    (b) => [1, 2].map(() => b.stream(input).groupByKey().count('n')),
    /the name n is given to a store twice: both at/,
    'n',
  ],
  [
    'a topic name twice',
    (b) => [1, 2].map(() => b.stream(input).repartition('n')),
    /the name n is given to a repartition topic twice/,
    'n',
  ],
  [
    'a display name twice',
    (b) => [1, 2].map(() => b.stream(input).filter('n', Boolean)),
    /the name n is given to a processor twice/,
    'n',
  ],
  [
    'no partition',
    (b) => b.stream(input).repartition('n', { partitions: 0 }),
    /0 is no number of partitions/,
    'input.repartition',
  ],
  [
    'half a partition',
    (b) => b.stream(input).repartition('n', { partitions: 1.5 }),
    /1\.5 is no number/,
    'input.repartition',
  ],
  [
    'too many partitions',
    (b) => b.stream(input).repartition('n', { partitions: 10_001 }),
    /10001 is no number/,
    'input.repartition',
  ],
  [
    'another storage',
    (b) => b.stream(input).groupByKey().count('n', { storage: 'ram' }),
    /store n: its storage is "ram"/,
    'n',
  ],
  [
    'no storage',
    (b) => b.stream(input).groupByKey().count('n', { storage: null }),
    /^store n: its storage is null$/,
    'n',
  ],
  [
    'a function as storage',
    (b) =>
      b
        .stream(input)
        .groupByKey()
        .count('n', { storage: () => 1 }),
    /^store n: its storage is a function$/,
    'n',
  ],
  [
    'a supplier that is not there yet',
    (b) =>
      b
        .stream(input)
        .groupByKey()
        .count('n', { storage: Promise.reject(new Error('unseen')) }),
    /^store n: its storage is a promise$/,
    'n',
  ],
  [
    'a supplier without a name',
    (b) =>
      b
        .stream(input)
        .groupByKey()
        .count('n', { storage: { open: () => undefined } }),
    /^store n: its storage is a supplier without a name$/,
    'n',
  ],
  [
    'a supplier with a name that is no name',
    (b) =>
      b
        .stream(input)
        .groupByKey()
        .count('n', { storage: { name: 'a/b', open: () => undefined } }),
    /^store n: its storage is a supplier whose name "a\/b" is not a legal one$/,
    'n',
  ],
  [
    'a supplier with a name of ours',
    (b) =>
      b
        .stream(input)
        .groupByKey()
        .count('n', { storage: { name: 'disk', open: () => undefined } }),
    /^store n: its storage is a supplier with the name disk, which is taken$/,
    'n',
  ],
  [
    'a supplier that opens nothing',
    (b) =>
      b
        .stream(input)
        .groupByKey()
        .count('n', { storage: { name: 'ours' } }),
    /^store n: its storage is the supplier ours, whose `open` is not a function but undefined$/,
    'n',
  ],
  [
    'two suppliers of one name',
    (b) => [
      b
        .stream(input)
        .groupByKey()
        .count('n', { storage: { name: 'ours', open: () => undefined } }),
      b
        .stream(input)
        .groupByKey()
        .count('m', { storage: { name: 'ours', open: () => undefined } }),
    ],
    /^store m: its storage is a second supplier with the name ours$/,
    'm',
  ],
  [
    'no storage of a processor’s store',
    (b) =>
      b.stream(input).process('p', {
        stores: { s: store({ key: string, value: string, storage: any(0) }) },
        on: () => undefined,
      }),
    /^store p-s: its storage is 0$/,
    'p-s',
  ],
  [
    'no windows',
    (b) => b.stream(input).groupByKey().windowedBy({ size: 5 }),
    /windowedBy was not given windows/,
    'windowedBy',
  ],
  ['no aggregator', (b) => b.stream(input).groupByKey().aggregate('n'), /the aggregator is not a function/, 'n'],
  [
    'no initializer',
    (b) =>
      b
        .stream(input)
        .groupByKey()
        .aggregate('n', { ...sum, init: 0 }),
    /the initializer is not a function but number/,
    'n',
  ],
  [
    'no merger',
    (b) =>
      b
        .stream(input)
        .groupByKey()
        .windowedBy(Windows.session(5, { grace: 0 }))
        .aggregate('n', sum),
    /the merger is not/,
    'n',
  ],
  [
    'no value serde for a store',
    (b) => b.stream(input).mapValues(Number).groupByKey().reduce('n', Math.max),
    /n needs the value serde for its store/,
    'n',
  ],
  [
    'no serdes for a topic',
    (b) => b.stream(input).map(Array.of).repartition('n'),
    /needs the key serde for its repartition topic/,
    'input.map.repartition',
  ],
  [
    'a serde that is none',
    (b) => b.stream(input).repartition('n', { value: JSON }),
    /what is given as the value serde is none/,
    'input.repartition',
  ],
  ['no table to join', (b) => b.stream(input).join(undefined, Array.of), /was not given a table/, 'input.join'],
  [
    'a join without a name',
    (b) =>
      b
        .stream(input)
        .selectKey(String)
        .join(b.table(other, { store: 's' }), Array.of),
    /needs a name/,
    'input.selectKey.join',
  ],
  [
    'a join without a key serde',
    (b) =>
      b
        .stream(input)
        .selectKey(String)
        .join(b.table(other, { store: 's' }), Array.of, { name: 'j' }),
    /j needs the key serde for its repartition topic/,
    'j',
  ],
  [
    'a windowed table to join',
    (b) => b.stream(input).join(b.stream(text).groupByKey().windowedBy(minute).count('n'), Array.of),
    /the windowed table n cannot be joined/,
    'input.join',
  ],
  [
    'a topic with two serdes',
    (b) => [b.stream(input), b.stream(topic('input', { key: string, value: string }))],
    /topic input is read twice with different serdes/,
    'input',
  ],
  [
    'another policy',
    (b) => b.stream(input, { onDeserializationError: 'ignore' }),
    /onDeserializationError is "ignore"/,
    'input',
  ],
  ['no policy', (b) => b.stream(input, { onDeserializationError: null }), /onDeserializationError is null/, 'input'],
  [
    'dead letters that come back',
    (b) => b.stream(input, { onDeserializationError: { deadLetter: 'input' } }),
    /its dead letters go back to it/,
    'input',
  ],
  [
    'late records that come back',
    (b) => b.stream(input).groupByKey().windowedBy(minute).count('n', { late: input }),
    /^n: its late records go back to input, and would be late for ever$/,
    'n',
  ],
  [
    'late records that come back by one of two streams, over a repartition topic',
    (b) =>
      b
        .stream(text)
        .merge(b.stream({ ...text, name: 'more' }))
        .groupBy('by', () => 'a', { key: string })
        .windowedBy(minute)
        .aggregate('n', { ...sum, late: { ...text, name: 'more' } }),
    /^n: its late records go back to more/,
    'n',
  ],
  [
    'late records that a pattern matches',
    (b) => b.stream(anyInput).groupByKey().windowedBy(minute).count('n', { late: input }),
    /^n: its late records go back to input/,
    'n',
  ],
  ['no start', (b) => b.stream(input, { startFrom: 'end' }), /^input: startFrom is "end"$/, 'input'],
  ['null as a start', (b) => b.stream(input, { startFrom: null }), /startFrom is null/, 'input'],
  [
    'no time to start from',
    (b) => b.stream(input, { startFrom: { ago: '1 hour' } }),
    /input: startFrom\.ago "1 hour" is not a duration/,
    'input',
  ],
  [
    'a negative time to start from',
    (b) => b.stream(input, { startFrom: { ago: -1 } }),
    /startFrom\.ago -1 is not a duration/,
    'input',
  ],
  [
    'a table that starts at the end',
    (b) => b.table(input, { store: 's', startFrom: 'latest' }),
    /a table that starts amid its topic lacks the rows from before/,
    'input',
  ],
  [
    'a table that starts amid its topic',
    (b) => b.table(input, { store: 's', startFrom: { ago: '1h' } }),
    /a table that starts amid its topic/,
    'input',
  ],
  [
    'a global table that starts at the end',
    (b) => b.globalTable(input, { store: 's', startFrom: 'latest' }),
    /a global table is all rows of its topic/,
    'input.globalTable',
  ],
  [
    'two starts of one topic',
    (b) => [b.stream(input, { startFrom: 'latest' }), b.stream(input)],
    /^topic input is read twice with different startFrom: both at/,
    'input',
  ],
  [
    'a table of a topic that starts at its end',
    (b) => [b.stream(input, { startFrom: { ago: '1h' } }), b.table(input, { store: 's' })],
    /topic input is read twice with different startFrom/,
    'input',
  ],
  [
    'a pattern for a table',
    (b) => b.table(anyInput, { store: 's' }),
    /^table was given the pattern \/in\.\*\/, and only streams are read by one$/,
    'table',
  ],
  [
    'a pattern for a global table',
    (b) => b.globalTable(anyInput, { store: 's' }),
    /globalTable was given/,
    'globalTable',
  ],
  ['a pattern to write to', (b) => b.stream(input).to(anyInput), /^input\.to was given the pattern/, 'input.to'],
  ['a bare expression', (b) => b.stream(/in.*/), /^stream was not given a topic$/, 'stream'],
  [
    'a pattern that matches a topic read before',
    (b) => [b.stream(input), b.stream(anyInput)],
    /^topic input is read by its name, and the pattern \/in\.\*\/ matches it: both at/,
    '/in.*/',
  ],
  [
    'a topic that a pattern before matches',
    (b) => [b.stream(anyInput), b.table(input, { store: 's' })],
    /^topic input is read by its name, and the pattern/,
    '/in.*/',
  ],
  [
    'a pattern read in two ways',
    (b) => [b.stream(anyInput), b.stream(anyInput, { startFrom: 'latest' })],
    /^pattern \/in\.\*\/ is read twice with different startFrom/,
    '/in.*/',
  ],
  [
    'dead letters that a pattern matches',
    (b) => b.stream(anyInput, { onDeserializationError: { deadLetter: 'input.dlq' } }),
    /its dead letters go back to it/,
    '/in.*/',
  ],
  ['an async mapper', (b) => b.stream(input).mapValues(async () => 1), /the argument is async/, 'input.mapValues'],
  ['an async predicate', (b) => b.stream(input).filter(async () => true), /the argument is async/, 'input.filter'],
  [
    'an async branch',
    (b) => b.stream(input).split({ a: async () => true }),
    /the predicate of branch a is async/,
    'input.split',
  ],
  [
    'an async generator',
    (b) => b.stream(input).flatMap(async function* () {}),
    /the argument is async/,
    'input.flatMap',
  ],
  [
    'an async aggregator',
    (b) =>
      b
        .stream(input)
        .groupByKey()
        .aggregate('n', { ...sum, add: async () => 1 }),
    /the aggregator is async/,
    'n',
  ],
  [
    'an async initializer',
    (b) =>
      b
        .stream(input)
        .groupByKey()
        .aggregate('n', { ...sum, init: async () => 1 }),
    /the initializer is async/,
    'n',
  ],
  ['an async timestamp', (b) => b.stream(input, { timestamp: async () => 1 }), /the timestamp is async/, 'input'],
  [
    'an async foreign key',
    (b) =>
      b.table(input, { store: 'i' }).join(b.table(other, { store: 'o' }), {
        name: 'j',
        foreignKey: async () => 'k',
        joiner: Array.of,
      }),
    /the foreignKey is async/,
    'j',
  ],
  [
    'an async joiner',
    (b) => b.stream(input).join(b.table(other, { store: 's' }), async () => 1),
    /the joiner is async/,
    'input.join',
  ],
]

const here = readFileSync(import.meta.filename, 'utf8').split('\n')

test.each(refused)('refused: %s', (what, build, says, node) => {
  const { code, message, hint, where } = refusal(() => defineTopology('t', (b) => void build(b)))
  expect([code, message, where.node]).toEqual(['INVALID_TOPOLOGY', expect.stringMatching(says), node])
  expect(hint).toMatch(/\w/)
  // The line of the case, or of defineTopology where no call of the user's is wrong.
  expect(where.file).toBe(import.meta.filename)
  if (what === 'no source') expect(here[(where.line as number) - 1]).toContain('refusal(() => defineTopology')
  else expect(caseAt(where.line as number)).toContain(`'${what}'`)
})

/** From the start of the case that a line belongs to. */
function caseAt(line: number): string {
  const before = here.slice(0, line)
  const start = before.findLastIndex((text) => /^ {2}\[/.test(text))
  return before.slice(start).join('\n')
}

/** Values of their own, which belong to no operator: the loader adds the line that made them. */
test.each<readonly [what: string, make: () => unknown, says: RegExp]>([
  ['a size of 0', () => Windows.tumbling(0, { grace: 0 }), /a window of 0 ms/],
  ['a size below 0', () => Windows.tumbling(-1, { grace: 0 }), /window size -1 is not a duration/],
  ['a size that is no number', () => Windows.tumbling(Number.NaN, { grace: 0 }), /is not a duration/],
  ['no advance', () => Windows.hopping('1m', any({ grace: 0 })), /window advance undefined is not/],
  [
    'an advance above the size',
    () => Windows.hopping('1m', { advance: '2m', grace: 0 }),
    /advances by 120000 ms cannot be/,
  ],
  ['no grace', () => Windows.tumbling('1m', any({})), /the windows have no grace/],
  ['no options', () => any(Windows).session('1m'), /the windows have no grace/],
  ['a grace below 0', () => Windows.tumbling('1m', { grace: any('-1s') }), /grace "-1s" is not a duration/],
  ['a gap of 0', () => Windows.session(0, { grace: 0 }), /a gap of 0 ms cannot be/],
  ['a topic without a name', () => topic('', { key: string, value: string }), /"" is not a topic name/],
  ['a topic without serdes', () => any(topic)('a'), /topic a has no key serde/],
  ['a topic with half of its serdes', () => topic('a', any({ key: string })), /topic a has no value serde/],
  ['a topic whose serde is none', () => topic('a', { key: string, value: any(JSON) }), /topic a has no value serde/],
])('refused: %s', (_, make, says) => {
  const { code, message, hint } = refusal(make)
  expect([code, message]).toEqual(['INVALID_ARGUMENT', expect.stringMatching(says)])
  expect(hint).toMatch(/[.')]$/)
})

test('a join of topics with different partitions does not start, and both counts are told', () => {
  const topology = defineTopology('t', (b) => {
    b.stream(input)
      .join(b.table(other, { store: 's' }), () => 1)
      .to(output)
  })
  const counts = new Map([
    ['input', 3],
    ['other', 4],
    ['output', 1],
  ])
  const { code, message, where } = refusal(() => planWith(topology, 't', counts))
  expect([code, message]).toEqual([
    'NOT_COPARTITIONED',
    expect.stringMatching(/input has 3.*other has 4|input.*\b3\b.*other.*\b4\b/),
  ])
  expect(here[(where.line as number) - 1]).toContain('.join(')
})

test.each<readonly [what: string, build: (b: Any) => void, name: string]>([
  [
    'written',
    (b) => [b.table(input, { store: 'c' }), b.stream(other).to({ ...output, name: 't-c-changelog' })],
    't-c-changelog',
  ],
  ['read', (b) => b.stream({ ...input, name: 't-g-repartition' }).to(output), 't-g-repartition'],
  [
    'of a global table',
    (b) => [b.stream(input), b.globalTable({ ...other, name: 't-c-changelog' }, { store: 'c' })],
    't-c-changelog',
  ],
  [
    'for dead letters',
    (b) => b.stream(input, { onDeserializationError: { deadLetter: 't-c-changelog' } }),
    't-c-changelog',
  ],
  [
    'for dead letters of a pattern',
    (b) => b.stream(anyInput, { onDeserializationError: { deadLetter: 't-c-changelog' } }),
    't-c-changelog',
  ],
])(
  'a topic that is %s under a name of the application does not start, and its line is told',
  async (_, build, name) => {
    const topology = defineTopology('t', (b) => void build(b))
    const refused = createTestDriver(topology)
    await expect(refused).rejects.toMatchObject({
      code: 'INVALID_TOPOLOGY',
      message: expect.stringContaining(`the topic ${name} has a name that t gives its own`),
      hint: expect.stringContaining('Rename the topic'),
      where: { topic: name, node: expect.any(String), file: expect.stringContaining('bad-input.test.ts') },
    })
    const { where } = (await refused.catch((error) => error)) as StreamError
    expect(here[(where.line as number) - 1]).toContain(name)
    const driver = await createTestDriver(topology, { appId: 'another' })
    await driver.close()
  },
)

async function driven(
  build: (b: StreamsBuilder) => void,
  sends: (driver: TestDriver) => Promise<void>,
): Promise<readonly unknown[]> {
  const driver = await createTestDriver(defineTopology('t', build))
  try {
    await sends(driver)
    return driver.read().map(({ key, value }) => [key, value])
  } finally {
    await driver.close()
  }
}

const shared = { list: [] }

const one = (driver: TestDriver): Promise<void> => driver.send(input, 'a', { n: 1 }, 5)

describe('a record that an operator can do nothing with stops before it, named', () => {
  test.each<readonly [what: string, build: (b: Any) => void, code: string, says: RegExp, hint: RegExp | undefined]>([
    [
      'undefined for a value',
      (b) =>
        b
          .stream(input)
          .mapValues(() => undefined)
          .to(output),
      'PROCESSING',
      /^input\.mapValues: the mapper returned undefined: a return is missing/,
      undefined,
    ],
    [
      'an object for text',
      (b) =>
        b
          .stream(input)
          .mapValues(() => ({}))
          .to(text),
      'SERIALIZATION',
      /a string was expected, not object/,
      /value serde that fits/,
    ],
    [
      'undefined for a key',
      (b) =>
        b
          .stream(input)
          .selectKey((v: Any) => v.nope)
          .to(output),
      'PROCESSING',
      /^input\.selectKey: the mapper returned undefined/,
      undefined,
    ],
    [
      'undefined for a group',
      (b) =>
        b
          .stream(input)
          .groupBy('g', (v: Any) => v.nope, { key: string })
          .count('n'),
      'PROCESSING',
      /^input\.groupBy: the mapper returned undefined/,
      undefined,
    ],
    [
      'a promise for a value',
      (b) =>
        b
          .stream(input)
          .mapValues((v: Any) => Promise.resolve(v))
          .to(output),
      'PROCESSING',
      /^input\.mapValues: the mapper returned a promise: a record is processed without waiting, except by mapAsync/,
      undefined,
    ],
    [
      'a promise within',
      (b) =>
        b
          .stream(input)
          .mapValues(() => ({ a: { b: Promise.resolve() } }))
          .to(output),
      'SERIALIZATION',
      /a Promise .* it is at \.a\.b/,
      /returns its result itself/,
    ],
    [
      'a promise for a key',
      (b) =>
        b
          .stream(input)
          .selectKey(() => Promise.resolve('k'))
          .to(output),
      'PROCESSING',
      /^input\.selectKey: the mapper returned a promise/,
      undefined,
    ],
    [
      'a promise that fails, of which nobody hears',
      (b) =>
        b
          .stream(input)
          .mapValues(() => Promise.reject(new Error('unheard')))
          .to(output),
      'PROCESSING',
      /^input\.mapValues: the mapper returned a promise/,
      undefined,
    ],
    [
      'a number for a key of text',
      (b) =>
        b
          .stream(input)
          .selectKey((v: Any) => v.n)
          .to(output),
      'SERIALIZATION',
      /a key of type number/,
      /key serde that fits/,
    ],
    [
      'a pair without its value',
      (b) =>
        b
          .stream(input)
          .map((v: Any) => ['a', v.nope])
          .to(output),
      'PROCESSING',
      /^input\.map: the mapper returned undefined as the value/,
      undefined,
    ],
    [
      'a pair with a promise for its key',
      (b) =>
        b
          .stream(input)
          .flatMap(() => [[Promise.resolve('a'), 1]])
          .to(output),
      'PROCESSING',
      /^input\.flatMap: the mapper returned a promise as the key/,
      undefined,
    ],
    [
      'a promise of a pair',
      (b) =>
        b
          .stream(input)
          .map(() => Promise.resolve(['a', 1]))
          .to(output),
      'PROCESSING',
      /^input\.map: the mapper returned a promise:/,
      undefined,
    ],
    [
      'a promise of values',
      (b) =>
        b
          .stream(input)
          .flatMapValues(() => Promise.resolve([1]))
          .to(output),
      'PROCESSING',
      /^input\.flatMapValues: the mapper returned a promise:/,
      undefined,
    ],
    [
      'undefined among values',
      (b) =>
        b
          .stream(input)
          .flatMapValues((v: Any) => [v.n, v.nope])
          .to(output),
      'PROCESSING',
      /^input\.flatMapValues: the mapper returned undefined as a value/,
      undefined,
    ],
    [
      'a promise for true',
      (b) =>
        b
          .stream(input)
          .filter(() => Promise.resolve(false))
          .to(output),
      'PROCESSING',
      /^input\.filter: the predicate returned a promise/,
      undefined,
    ],
    [
      'a promise for a branch',
      (b) =>
        b
          .stream(input)
          .split({ a: () => Promise.resolve(false) })
          .a.to(output),
      'PROCESSING',
      /^input\.split: the predicate returned a promise/,
      undefined,
    ],
    [
      'undefined at the end of a call',
      (b) =>
        b
          .stream(input)
          .mapAsync('call', async (v: Any) => v.nope)
          .to(output),
      'PROCESSING',
      /^call: the mapper returned undefined/,
      undefined,
    ],
    [
      'undefined for a row',
      (b) =>
        b
          .table(input, { store: 'rows' })
          .mapValues((v: Any) => v.nope)
          .toStream()
          .to(output),
      'PROCESSING',
      /^rows\.mapValues: the mapper returned undefined/,
      undefined,
    ],
    [
      'a promise for a row of a group',
      (b) =>
        b
          .table(input, { store: 'rows' })
          .groupBy('g', () => [Promise.resolve('a'), 1], { key: string, value: double })
          .count('n'),
      'PROCESSING',
      /^rows\.groupBy: the mapper returned a promise as the key/,
      undefined,
    ],
    [
      'undefined for a joined row',
      (b) =>
        b
          .stream(input)
          .leftJoin(b.table(other, { store: 'rows' }), () => undefined)
          .to(output),
      'PROCESSING',
      /^input\.leftJoin: the joiner returned undefined/,
      undefined,
    ],
    [
      'a promise for two rows',
      (b) =>
        b
          .table(input, { store: 'rows' })
          .outerJoin(b.table(other, { store: 'others' }), () => Promise.resolve(1))
          .toStream()
          .to(output),
      'PROCESSING',
      /^rows\.outerJoin: the joiner returned a promise/,
      undefined,
    ],
    [
      'undefined to look up',
      (b) =>
        b
          .stream(input)
          .leftJoin(
            b.globalTable(other, { store: 'rows' }),
            (v: Any) => v.nope,
            () => 1,
          )
          .to(output),
      'PROCESSING',
      /^input\.leftJoin: the key selector returned undefined/,
      undefined,
    ],
    [
      'undefined to begin with',
      (b) =>
        b
          .stream(input)
          .groupByKey()
          .aggregate('n', { ...sum, init: () => undefined }),
      'PROCESSING',
      /^n: the initializer returned undefined/,
      undefined,
    ],
    [
      'a map',
      (b) =>
        b
          .stream(input)
          .mapValues(() => [new Map([[1, 2]])])
          .to(output),
      'SERIALIZATION',
      /a Map cannot be written as JSON: it is at \.0/,
      /turn it into these/,
    ],
    [
      'a bigint in JSON',
      (b) =>
        b
          .stream(input)
          .mapValues(() => ({ n: 1n }))
          .to(output),
      'SERIALIZATION',
      /serialize a BigInt/,
      /int64 or avro/,
    ],
    [
      'NaN in JSON',
      (b) =>
        b
          .stream(input)
          .mapValues((v: Any) => ({ sum: v.n + v.m }))
          .to(output),
      'SERIALIZATION',
      /NaN or an infinity .* it is at \.sum/,
      /finite numbers/,
    ],
    [
      'half a surrogate pair',
      (b) =>
        b
          .stream(input)
          .mapValues(() => '\ud800')
          .to(text),
      'SERIALIZATION',
      /half a surrogate pair/,
      undefined,
    ],
    [
      'no pair',
      (b) =>
        b
          .stream(input)
          .map((v: Any) => v)
          .to(output),
      'PROCESSING',
      /^input\.map: the function must return \[key, value\]/,
      undefined,
    ],
    [
      'nothing to go through',
      (b) =>
        b
          .stream(input)
          .flatMap(() => undefined)
          .to(output),
      'PROCESSING',
      /^input\.flatMap: .*is not iterable/,
      undefined,
    ],
    [
      'undefined for an aggregate',
      (b) =>
        b
          .stream(input)
          .groupByKey()
          .aggregate('n', { ...sum, add: () => undefined }),
      'PROCESSING',
      /^n: the aggregator returned undefined/,
      undefined,
    ],
    [
      'a promise for an aggregate',
      (b) =>
        b
          .stream(input)
          .groupByKey()
          .aggregate('n', { ...sum, add: () => Promise.resolve(1) }),
      'PROCESSING',
      /^n: the aggregator returned a promise/,
      undefined,
    ],
    [
      'a promise for a session',
      (b) =>
        b
          .stream(input)
          .groupByKey()
          .windowedBy(Windows.session(5, { grace: 0 }))
          .aggregate('n', { ...sum, merge: Math.max, add: () => Promise.resolve(1) }),
      'PROCESSING',
      /returned a promise/,
      undefined,
    ],
    [
      'NaN in an aggregate of JSON',
      (b) =>
        b
          .stream(input)
          .groupByKey()
          .aggregate('n', { init: () => 0, add: (a: number, v: Any) => a + v.m, serde: json })
          .toStream()
          .to(output),
      'SERIALIZATION',
      /NaN/,
      undefined,
    ],
    [
      'what is thrown and no error',
      (b) =>
        b.stream(input).peek(() => {
          throw 'no'
        }),
      'PROCESSING',
      /^input\.peek: no$/,
      undefined,
    ],
    [
      'a value changed in place',
      (b) =>
        b
          .stream(input)
          .mapValues((v: Any) => Object.assign(v, { n: 2 }))
          .to(output),
      'PROCESSING',
      /^input\.mapValues: Cannot assign to read only property 'n'/,
      /Values are immutable/,
    ],
    [
      'one object for the aggregates of all keys',
      (b) =>
        b
          .stream(input)
          .groupByKey()
          .aggregate('n', {
            init: () => shared,
            add: (a: Any, v: Any) => Object.assign(a, { n: a.list.push(v) }),
            serde: json,
          }),
      'PROCESSING',
      /^n: Cannot add property 0, object is not extensible/,
      /Values are immutable/,
    ],
  ])('%s', async (what, build, code, says, hint) => {
    const thrown = await driven(build, one).then(
      () => undefined,
      (error: unknown) => error,
    )
    expect(thrown).toBeInstanceOf(StreamError)
    const error = thrown as StreamError
    expect([error.code, error.message]).toEqual([code, expect.stringMatching(says)])
    if (hint !== undefined) expect(error.hint).toMatch(hint)
    expect(error.where).toMatchObject({ file: import.meta.filename, topic: 'input', partition: 0, offset: 0 })
    expect(caseAt(error.where.line as number)).toContain(`'${what}'`)
  })
})

describe('what is not refused', () => {
  test('NaN in a double stays NaN', async () => {
    const topicOfDoubles = topic('doubles', { key: string, value: double })
    const results = await driven(
      (b) =>
        b
          .stream(input)
          .groupByKey()
          .aggregate('n', { init: () => 0, add: (total, v) => total + v.m, serde: double })
          .toStream()
          .to(topicOfDoubles),
      one,
    )
    expect(results).toEqual([['a', Number.NaN]])
  })

  test('a number of JSON above 2^53 is read as the nearest one there is', async () => {
    const results = await driven(
      (b) => b.stream(input).to(output),
      (driver) => driver.sendBytes('input', null, Buffer.from('9007199254740993'), 5),
    )
    expect(results).toEqual([[null, 9007199254740992]])
  })

  test('half a surrogate pair passes JSON, which escapes it', async () => {
    expect(
      await driven(
        (b) =>
          b
            .stream(input)
            .mapValues(() => '\ud800')
            .to(output),
        one,
      ),
    ).toEqual([['a', '\ud800']])
  })

  test('a key above 64 KiB, through a topic and a store', async () => {
    const results = await driven(
      (b) =>
        b
          .stream(input)
          .groupBy('long', () => 'k'.repeat(70_000), { key: string })
          .count('n')
          .toStream()
          .map((n, key) => [String(key.length), Number(n)])
          .to(output),
      async (driver) => {
        await one(driver)
        await one(driver)
      },
    )
    expect(results).toEqual([
      ['70000', 1],
      ['70000', 2],
    ])
  })

  test('a null value does not count, and reaches the aggregator of windows', async () => {
    const nulls = async (driver: TestDriver): Promise<void> => {
      await driver.send(input, 'a', null, 5)
      await driver.send(input, null, 1, 5)
    }
    const counts = topic('counts', { key: string, value: int64 })
    expect(await driven((b) => b.stream(input).groupByKey().count('n').toStream().to(counts), nulls)).toEqual([])
    const seen: unknown[] = []
    await driven((b) => {
      const add = (total: number, value: unknown) => {
        seen.push(value)
        return total
      }
      b.stream(input)
        .groupByKey()
        .windowedBy(minute)
        .aggregate('n', { init: () => 0, add, serde: double })
    }, nulls)
    expect(seen).toEqual([null])
  })

  test('an action may be async: nobody waits for it', async () => {
    const results = await driven(
      (b) =>
        b
          .stream(input)
          .peek(any(async () => undefined))
          .to(output),
      one,
    )
    expect(results).toEqual([['a', { n: 1 }]])
  })
})
