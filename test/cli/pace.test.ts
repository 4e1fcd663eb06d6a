import fc from 'fast-check'
import { expect, test } from 'vitest'
import { recordOutput } from '../../src/broker/output.ts'
import { feed } from '../../src/cli/feed.ts'
import { pace } from '../../src/cli/pace.ts'
import { string } from '../../src/serde/string.ts'
import { call, folder, jsonLines, wordCount } from './process.ts'

/** A clock that moves when something sleeps, and by itself where the test says so. */
function timers(late: () => number = () => 0) {
  let time = 5
  return {
    now: () => time,
    sleep: async (ms: number) => {
      time += ms + late()
    },
    pass: (ms: number) => {
      time += ms
    },
  }
}

test.each([1, 7, 200, 50_000])('%i records a second, to the record', async (perSecond) => {
  const clock = timers()
  const held = pace(perSecond, clock)
  for (let records = 0; records < perSecond * 3; records++) await held.next()
  expect(clock.now() - 5).toBeGreaterThan(3000 - 1000 / perSecond - 20.001)
  expect(clock.now() - 5).toBeLessThanOrEqual(3000)
})

test('timers that fire late do not lower the rate', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(300), { minLength: 1, maxLength: 20 }), async (lateness) => {
      let i = 0
      const clock = timers(() => lateness[i++ % lateness.length] as number)
      const held = pace(100, clock)
      for (let records = 0; records < 500; records++) await held.next()
      // Behind by one late timer at most, never by their sum.
      expect(clock.now() - 5).toBeLessThanOrEqual(5000 + 300)
    }),
    { numRuns: 50 },
  )
})

test('a feed hands over what is due before it waits', async () => {
  const clock = timers()
  const log: string[] = []
  const producer = {
    output: () => recordOutput((_, { value }) => log.push(`${value}`)),
    flush: async () => {
      log.push('flush')
      return new Map()
    },
    close: async () => undefined,
  }
  const sleep = async (ms: number): Promise<void> => {
    await Promise.resolve()
    clock.pass(ms)
    log.push(`slept ${ms}`)
  }
  const held = pace(10, { now: clock.now, sleep })
  const target = { topic: 't', partitions: 1, key: string, value: string }
  const source = (async function* () {
    yield 'a\nb\nc\n'
  })()
  const count = await feed(producer, target, source, 'file', { kind: 'text', delimiter: null }, () => true, held)
  expect(count).toBe(3)
  expect(log).toEqual(['a', 'flush', 'slept 100', 'b', 'flush', 'slept 100', 'c', 'flush'])
})

test('run --rate: the same results, read while the app runs', async () => {
  const cwd = folder({ 'topology.ts': wordCount, 'in.txt': 'a b\n'.repeat(60) })
  const args = ['run', 'topology.ts', '--in', 'lines=in.txt', '--rate', '200', '--out', 'word-counts=-']
  const started = performance.now()
  const result = await call([...args, '--until', 'caught-up', '--timeout', '15s'], { cwd })
  expect(result.exit).toBe(0)
  expect(performance.now() - started).toBeGreaterThan(270)
  expect(jsonLines(result.stdout).at(-1)).toMatchObject({ value: 60 })
  expect(result.stderr).toMatch(/generation 1[\s\S]*lines: 60 records/)
})

test('--rate without --in is a mistake', async () => {
  const cwd = folder({ 'topology.ts': wordCount })
  const result = await call(['run', 'topology.ts', '--rate', '5'], { cwd })
  expect(result).toMatchObject({ exit: 2, stdout: '' })
  expect(result.stderr).toContain('Add --in topic=file')
})
