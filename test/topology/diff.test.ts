import { describe, expect, test } from 'vitest'
import { Windows } from '../../src/common/windows.ts'
import type { StreamsBuilder } from '../../src/dsl/builder.ts'
import { defineTopology } from '../../src/dsl/define.ts'
import { avro } from '../../src/serde/avro.ts'
import { double } from '../../src/serde/double.ts'
import { int64 } from '../../src/serde/int64.ts'
import { json } from '../../src/serde/json.ts'
import { string } from '../../src/serde/string.ts'
import { topic } from '../../src/serde/topic.ts'
import { type Comparison, compareTopologies } from '../../src/topology/diff.ts'
import { lockOf, type TopologyLock } from '../../src/topology/lock.ts'
import { customers, lines, orders, refunds } from '../dsl/fixtures.ts'
import { listSupplier } from '../support/list-store.ts'

type Build = (b: StreamsBuilder) => void

/** As it comes back from a file. */
function lock(build: Build): TopologyLock {
  return JSON.parse(JSON.stringify(lockOf(defineTopology('t', build)))) as TopologyLock
}

function between(before: Build, after: Build): Comparison {
  return compareTopologies(lock(before), lock(after))
}

/** Verdict, then each change as `severity: message`. */
function told({ verdict, changes }: Comparison): readonly string[] {
  return [verdict, ...changes.map(({ severity, message }) => `${severity}: ${message}`)]
}

const counting =
  (store: string): Build =>
  (b) =>
    b.stream(lines).groupByKey().count(store)

const byWord =
  (name: string): Build =>
  (b) =>
    b
      .stream(lines)
      .groupBy(name, (line) => line, { key: string })
      .count('n')

const inWindows =
  (windows: Parameters<typeof windowedCount>[1]): Build =>
  (b) =>
    windowedCount(b, windows)

function windowedCount(b: StreamsBuilder, windows: ReturnType<typeof Windows.tumbling>): void {
  b.stream(lines).groupByKey().windowedBy(windows).count('n')
}

describe('same', () => {
  test('what a lock does not hold: functions, names for display, the order of branches', () => {
    const build =
      (limit: number): Build =>
      (b) => {
        const { low, high } = b.stream(orders).split({ low: (o) => o.amount < limit, high: (o) => o.amount >= limit })
        low.to(orders)
        high.filter(limit === 1 ? 'a' : 'b', () => true).to(refunds)
      }
    expect(told(between(build(1), build(2)))).toEqual(['same'])
  })

  test('the order of topics and stores within a sub-topology', () => {
    const one: Build = (b) => {
      b.stream(lines).groupByKey().count('a')
      b.stream(lines).groupByKey().count('b')
    }
    const other: Build = (b) => {
      b.stream(lines).groupByKey().count('b')
      b.stream(lines).groupByKey().count('a')
    }
    expect(told(between(one, other))).toEqual(['same'])
  })
})

describe('changelogs', () => {
  const own: Build = (b) => void b.table(customers, { store: 'people' })
  const source: Build = (b) => void b.table(customers, { store: 'people', changelog: 'source' })

  test('a topic in the place of an own one is safe: its rows are read there', () => {
    expect(told(between(own, source))).toEqual([
      'safe',
      'safe: store people: sourceTopic was not set and is customers, so it is read from that topic, once, up to where it was processed; its own changelog stays until somebody deletes it',
    ])
  })

  test('an own one in the place of a topic needs a reset: it begins empty', () => {
    expect(told(between(source, own))).toEqual([
      'reset',
      'reset: store people: sourceTopic was customers and is not set, so a changelog of its own begins empty, and what was read before is in none',
    ])
  })

  test('another topic needs a reset', () => {
    const other: Build = (b) =>
      void b.table(topic('persons', { key: string, value: customers.value }), { store: 'people', changelog: 'source' })
    expect(told(between(source, other)).slice(0, 2)).toEqual([
      'reset',
      'reset: store people: sourceTopic was customers and is persons, so its rows are those of another topic, and nobody downstream is told',
    ])
    expect(told(between(source, source))).toEqual(['same'])
  })
})

describe('stores', () => {
  test('a new one is safe, one that is gone too, with what that means', () => {
    const none: Build = (b) => b.stream(lines).to(lines)
    expect(told(between(none, (b) => void [none(b), counting('n')(b)]))).toEqual([
      'safe',
      'safe: store n is new: it starts empty and takes what comes from now on',
    ])
    expect(told(between((b) => void [none(b), counting('n')(b)], none))).toEqual([
      'safe',
      'safe: store n is gone: its changelog and its rows on disk stay until somebody deletes them',
    ])
  })

  test('one renamed needs a reset: it would start in the middle of its input', () => {
    expect(told(between(counting('n'), counting('m')))).toEqual([
      'reset',
      'reset: store m takes the place of n, which was of the same shape: it starts empty, behind what n has counted in',
    ])
    // Of another shape it is another store.
    const summing: Build = (b) =>
      b
        .stream(lines)
        .groupByKey()
        .aggregate('m', { init: () => 0, add: (sum) => sum, serde: double })
    expect(between(counting('n'), summing).verdict).toBe('safe')
  })

  test('another serde needs a reset, one told apart by its schema alone too', () => {
    const serde =
      (value: typeof int64 | ReturnType<typeof json<bigint>>): Build =>
      (b) =>
        b
          .stream(lines)
          .groupByKey()
          .aggregate('n', { init: () => 0n, add: (n) => n, serde: value })
    expect(told(between(serde(int64), serde(json<bigint>())))).toEqual([
      'reset',
      'reset: store n: value was int64 and is json, so its rows and its changelog do not read, or mean something else',
    ])
    const people =
      (type: 'string' | 'int'): Build =>
      (b) => {
        const schema = { type: 'record', name: 'Person', fields: [{ name: 'n', type }] } as const
        b.table(topic('people', { key: string, value: avro(schema) }), { store: 'people' })
      }
    const { verdict, changes } = between(people('string'), people('int'))
    expect(verdict).toBe('reset')
    expect(changes.find(({ kind }) => kind === 'store')?.message).toMatch(
      /^store people: value was avro:Person#\w+ and is avro:Person#\w+, so/,
    )
  })

  test('another time difference of sliding windows needs a reset, another time to emit does not', () => {
    const near =
      (difference: number, emit: 'updates' | 'final'): Build =>
      (b) =>
        b
          .stream(lines)
          .groupByKey()
          .windowedBy(Windows.sliding(difference, { grace: 0 }))
          .count('n', { emit })
    expect(told(between(near(10, 'updates'), near(20, 'updates')))[0]).toBe('reset')
    expect(told(between(near(10, 'updates'), near(10, 'final')))).toEqual([
      'safe',
      'safe: store n: closes was not set and is true, which holds for windows that close from now on',
    ])
  })

  test('another size or advance of windows needs a reset, another grace does not', () => {
    const minutes = Windows.tumbling('1m', { grace: 0 })
    expect(told(between(inWindows(minutes), inWindows(Windows.tumbling('2m', { grace: 0 }))))).toEqual([
      'reset',
      'reset: store n: windows.advanceMs was 60000 and is 120000, so its rows and its changelog do not read, or mean something else',
      'reset: store n: windows.sizeMs was 60000 and is 120000, so its rows and its changelog do not read, or mean something else',
    ])
    expect(told(between(inWindows(minutes), inWindows(Windows.tumbling('1m', { grace: '5s' }))))).toEqual([
      'safe',
      'safe: store n: windows.graceMs was 0 and is 5000, which holds for records from now on: what was dropped or deleted stays so',
    ])
  })

  test('another kind of store needs a reset, another storage does not', () => {
    const sessions: Build = (b) =>
      b
        .stream(lines)
        .groupByKey()
        .windowedBy(Windows.session('1m', { grace: 0 }))
        .count('n')
    expect(told(between(counting('n'), sessions))).toContainEqual(
      expect.stringMatching(/^reset: store n: kind was key-value and is session/),
    )
    const inMemory: Build = (b) => b.stream(lines).groupByKey().count('n', { storage: 'memory' })
    expect(told(between(counting('n'), inMemory))).toEqual([
      'safe',
      'safe: store n: storage was disk and is memory, so it is restored from its changelog',
    ])
    const supplied =
      (name: string): Build =>
      (b) =>
        b
          .stream(lines)
          .groupByKey()
          .count('n', { storage: listSupplier(name, { keeps: true }) })
    expect(told(between(inMemory, supplied('ours')))).toEqual([
      'safe',
      'safe: store n: storage was memory and is ours, so it is restored from its changelog',
    ])
    expect(told(between(supplied('ours'), supplied('others')))).toEqual([
      'safe',
      'safe: store n: storage was ours and is others, so it is restored from its changelog',
    ])
    expect(told(between(supplied('ours'), supplied('ours')))).toEqual(['same'])
  })

  test('a length of history may change, but not come or go', () => {
    const before = lock(counting('n'))
    const kept = (historyMs: number): TopologyLock =>
      ({ ...before, stores: { n: { ...before.stores.n, historyMs } } }) as TopologyLock
    expect(told(compareTopologies(kept(1000), kept(2000)))).toEqual([
      'safe',
      'safe: store n: historyMs was 1000 and is 2000, which holds for rows from now on: what was deleted stays so',
    ])
    expect(compareTopologies(before, kept(1000)).verdict).toBe('reset')
    expect(compareTopologies(kept(1000), before).verdict).toBe('reset')
  })

  test('a ttl may come, change and go: the bytes are the same', () => {
    const ending =
      (ttl: number): Build =>
      (b) =>
        b.stream(lines).groupByKey().count('n', { ttl })
    expect(told(between(counting('n'), ending(1000)))).toEqual([
      'safe',
      'safe: store n: ttlMs was not set and is 1000, so rows end by that from now on: what has ended stays so',
    ])
    expect(between(ending(1000), ending(5)).verdict).toBe('safe')
    expect(between(ending(1000), counting('n')).verdict).toBe('safe')
  })

  test('a field that nobody knows here needs a reset', () => {
    const before = lock(counting('n'))
    const after = { ...before, stores: { n: { ...before.stores.n, shape: { of: [1, 2] } } } } as TopologyLock
    expect(told(compareTopologies(before, after))).toEqual([
      'reset',
      'reset: store n: shape was not set and is {"of":[1,2]}, so its rows and its changelog do not read, or mean something else',
    ])
    expect(compareTopologies(after, structuredClone(after)).verdict).toBe('same')
  })
})

describe('repartition topics', () => {
  test('one renamed or gone needs a reset, as records may be under way in it; a new one is safe', () => {
    expect(told(between(byWord('by-word'), byWord('by-term')))).toEqual([
      'reset',
      'reset: repartition topic by-word is by-term now: records under way in it would be lost, unless the application caught up before it was stopped',
    ])
    const { changes } = between(byWord('by-word'), counting('n'))
    expect(changes.filter(({ severity }) => severity === 'reset')).toEqual([
      expect.objectContaining({ kind: 'repartition', name: 'by-word' }),
    ])
    const more = between(counting('n'), (b) => {
      counting('n')(b)
      b.stream(lines).repartition('again').to(lines)
    })
    expect(told(more)).toEqual(['safe', 'safe: repartition topic again is new', expect.any(String)])
  })

  test('another serde or another number of partitions needs a reset', () => {
    const through =
      (partitions: number | undefined, value: ReturnType<typeof json<string>> | typeof string): Build =>
      (b) =>
        b.stream(lines).repartition('again', { partitions, value }).to(lines)
    expect(told(between(through(undefined, string), through(3, json<string>())))).toEqual([
      'reset',
      'reset: repartition topic again: value was string and is json, so records under way in it do not read',
      'reset: repartition topic again: partitions was not set and is 3, so keys map to other tasks than those that hold their state',
    ])
  })
})

test("the user's topics are theirs: what changes is told", () => {
  const before: Build = (b) => b.stream(orders).to(refunds)
  const after: Build = (b) => {
    b.stream(topic('orders', { key: string, value: string })).to(lines)
    b.stream(customers).foreach(() => undefined)
  }
  expect(told(between(before, after))).toEqual([
    'safe',
    'safe: topic customers is read now: from its start, or as startFrom or --from says',
    'safe: topic orders: value was json and is string, so what is in it must read as that',
    'safe: topic lines is written now',
    'safe: topic refunds is not written any more',
  ])
})

describe('sub-topologies', () => {
  test('one put in front shifts the others: told, with the stores that are restored', () => {
    const { verdict, changes } = between(counting('n'), (b) => {
      b.stream(orders).to(orders)
      counting('n')(b)
    })
    expect(verdict).toBe('safe')
    expect(changes.filter(({ kind }) => kind === 'sub-topology')).toEqual([
      {
        severity: 'safe',
        kind: 'sub-topology',
        name: '1',
        message:
          'sub-topology 1 was 0 before: it goes on where that stood and restores n from the changelog, once; stop all processes of the application first',
      },
    ])
  })

  test('one added behind shifts nothing', () => {
    const { changes } = between(counting('n'), (b) => {
      counting('n')(b)
      b.stream(orders).to(orders)
    })
    expect(changes.filter(({ kind }) => kind === 'sub-topology')).toEqual([])
  })

  test('two that become one are told', () => {
    const apart: Build = (b) => {
      counting('n')(b)
      b.stream(orders).groupByKey().count('m')
    }
    const { changes } = between(apart, (b) => {
      counting('n')(b)
      b.stream(orders).groupByKey().count('m')
      b.stream(lines)
        .merge(b.stream(orders).mapValues(() => ''))
        .to(lines)
    })
    expect(changes.filter(({ kind }) => kind === 'sub-topology').map(({ message }) => message)).toEqual([
      expect.stringMatching(/^sub-topology 0 was made of 0 and 1: .* restores m from the changelog/),
    ])
  })
})

test('what needs a reset comes first, and is the verdict', () => {
  const { verdict, changes } = between(
    (b) => {
      counting('n')(b)
      b.stream(orders).repartition('again').to(orders)
    },
    (b) => {
      b.stream(lines)
        .groupByKey()
        .aggregate('more', { init: () => 0, add: (sum) => sum, serde: double })
      b.stream(lines).groupByKey().count('n', { storage: 'memory' })
      b.stream(orders).to(orders)
    },
  )
  expect([verdict, ...changes.map(({ severity, kind }) => `${severity} ${kind}`)]).toEqual([
    'reset',
    'reset repartition',
    'safe store',
    'safe store',
  ])
})
