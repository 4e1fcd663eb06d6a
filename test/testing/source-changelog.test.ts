/** Tables whose topic is their changelog, on the test driver: beside the same topology with changelogs of its own, whatever ends in between. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { defineTopology, json, type StreamsBuilder, string, type Topology, topic } from 'streamctl'
import { createTestDriver, type TestDriver, type TestDriverOptions } from 'streamctl/testing'
import { afterEach, expect, test } from 'vitest'

const people = topic('people', { key: string, value: json<number>() })
const visits = topic('visits', { key: string, value: string })
const seen = topic('seen', { key: string, value: json<unknown>() })
const letters = topic('letters', { key: string, value: json<unknown>() })

type Kind = 'own' | 'source'

/** Joins, what looks at old rows, an event time of the record's own, dead letters, and the topic written by the topology itself. */
const build =
  (changelog: Kind, storage?: 'memory') =>
  (b: StreamsBuilder): void => {
    const table = b.table(people, {
      store: 'people',
      changelog,
      ...(storage && { storage }),
      onDeserializationError: { deadLetter: 'letters' },
      timestamp: (value, _key, { timestamp }) => (value === 13 ? -1 : timestamp + (value ?? 0)),
      onInvalidTimestamp: 'skip',
    })
    b.stream(visits)
      .leftJoin(table, (visit, person) => [visit, person])
      .to(seen)
    table
      .groupBy('by-parity', (n) => [n % 2 === 0 ? 'even' : 'odd', n], { key: string, value: json<number>() })
      .aggregate('sums', {
        init: () => 0,
        add: (sum, n) => sum + n,
        subtract: (sum, n) => sum - n,
        serde: json<number>(),
      })
      .toStream()
      .to(seen)
    table
      .toStream()
      .filter((n) => n !== null && n > 90)
      .mapValues(() => 1)
      .to(people)
  }

const topologyOf = (changelog: Kind): Topology => defineTopology('t', build(changelog))

let dirs: string[] = []
let open: TestDriver[] = []
afterEach(async () => {
  for (const driver of open) await driver.close()
  for (const dir of dirs) await rm(dir, { recursive: true, force: true })
  open = []
  dirs = []
})

type Step =
  | { readonly kind: 'people'; readonly key: string | null; readonly value: string | null }
  | { readonly kind: 'visit'; readonly key: string }
  | { readonly kind: 'commit' | 'crash' | 'restart'; readonly task: number | null }

const key = fc.constantFrom('a', 'b', 'c', 'd')
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('people' as const),
      key: fc.option(key, { freq: 8 }),
      // 13 is skipped, the next two do not read or read as a deletion.
      value: fc.option(fc.constantFrom('1', '2', ' 3', '8', '13', 'no json', 'null', '95'), { freq: 5 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('visit' as const), key }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('commit' as const, 'crash' as const, 'restart' as const),
      task: fc.option(fc.nat(3)),
    }),
  },
)

async function opened(changelog: Kind, options: TestDriverOptions, onDisk: boolean): Promise<TestDriver> {
  const dir = onDisk ? { stateDir: await mkdtemp(join(tmpdir(), 'streamctl-source-')) } : {}
  if (dir.stateDir !== undefined) dirs.push(dir.stateDir)
  const driver = await createTestDriver(topologyOf(changelog), { ...options, ...dir })
  open.push(driver)
  return driver
}

async function play(driver: TestDriver, { commit }: TestDriverOptions, steps: readonly Step[]) {
  for (const [i, step] of steps.entries()) {
    if (step.kind === 'people') {
      const bytes = (text: string | null) => (text === null ? null : Buffer.from(text))
      await driver.sendBytes('people', bytes(step.key), bytes(step.value), i * 10)
    } else if (step.kind === 'visit') await driver.send(visits, step.key, 'v', i * 10)
    else if (step.kind === 'restart') await driver.restart()
    else if (step.kind === 'commit' && commit === 'manual') await driver.commit(named(driver, step.task))
    else if (step.kind === 'crash') await driver.crash(named(driver, step.task))
  }
  for (let i = 0; commit === 'manual' && !driver.isCommitted && i < 10; i++) await driver.commit()
  const rows: unknown[] = []
  for await (const row of driver.store<string, number>('people').all()) rows.push(row)
  return {
    outputs: driver.read().map(({ key, value, ...record }) => ({ ...record, key: String(key), value: String(value) })),
    rows,
  }
}

function named(driver: TestDriver, task: number | null): string | undefined {
  return task === null ? undefined : driver.tasks[task % driver.tasks.length]
}

test.each([
  ['each-send', false],
  ['manual', false],
  ['manual', true],
] as const)(
  'outputs and rows are those of the same topology with a changelog of its own: commit %s, on disk %s',
  async (commit, onDisk) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 60 }),
        fc.constantFrom(1, 2),
        async (steps, partitions) => {
          const options = { commit, partitions }
          const [own, source] = [await opened('own', options, onDisk), await opened('source', options, onDisk)]
          expect(await play(source, options, steps)).toEqual(await play(own, options, steps))
          await own.close()
          await source.close()
        },
      ),
      { numRuns: onDisk ? 15 : 60 },
    )
  },
  60_000,
)

test('after a crash a record that is processed again is new once more, and one that was committed is a row', async () => {
  const topology = defineTopology('t', (b) => {
    b.table(people, { store: 'people', changelog: 'source' })
      .filter(() => true)
      .toStream()
      .to(seen)
  })
  const driver = await createTestDriver(topology, { commit: 'manual' })
  open.push(driver)
  await driver.send(people, 'a', 1)
  await driver.commit()
  await driver.send(people, 'b', 2)
  await driver.send(people, 'a', null)
  await driver.crash()
  // What is not committed is not there: it was processed again, and is to be committed.
  expect(await driver.store('people').get('a')).toEqual({ value: 1, timestamp: 0 })
  expect(await driver.store('people').get('b')).toBeUndefined()
  await driver.commit()
  expect(await driver.store('people').get('a')).toBeUndefined()
  expect(driver.read(seen).map(({ key, value }) => [key, value])).toEqual([
    ['a', 1],
    ['b', 2],
    ['a', null],
  ])
})

test('a dead letter of a record that is read again is not written again', async () => {
  const driver = await opened('source', {}, false)
  await driver.sendBytes('people', Buffer.from('a'), Buffer.from('no json'))
  await driver.send(people, 'a', 4)
  await driver.crash()
  await driver.crash()
  expect(driver.read(letters)).toHaveLength(1)
  expect(await driver.store('people').get('a')).toEqual({ value: 4, timestamp: 4 })
})

test('a row that is restored is the one that has asked for its partner, byte for byte', async () => {
  const groups = topic('groups', { key: string, value: string })
  const topology = defineTopology('t', (b) => {
    b.table(people, { store: 'people', changelog: 'source' })
      .join(b.table(groups, { store: 'groups' }), {
        name: 'grouped',
        foreignKey: (n) => (n % 2 === 0 ? 'even' : 'odd'),
        joiner: (n, group) => `${n} ${group}`,
      })
      .toStream()
      .to(seen)
  })
  const driver = await createTestDriver(topology, { commit: 'manual' })
  open.push(driver)
  await driver.send(groups, 'odd', 'ODD')
  while (!driver.isCommitted) await driver.commit()
  // Not as the serde would write it.
  await driver.sendBytes('people', Buffer.from('a'), Buffer.from(' 3 '))
  await driver.commit('0_0')
  await driver.crash()
  while (!driver.isCommitted) await driver.commit()
  expect(driver.read(seen).map(({ key, value }) => [key, value])).toEqual([['a', '3 ODD']])
})
