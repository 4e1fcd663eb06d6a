/** mapAsync on the test driver. */

import { defineTopology, type KStream, string, topic } from 'streamctl'
import { createTestDriver, type TestDriver } from 'streamctl/testing'
import { afterEach, expect, test } from 'vitest'

const input = topic('input', { key: string, value: string })
const output = topic('output', { key: string, value: string })

let driver: TestDriver | undefined
afterEach(async () => {
  await driver?.close()
  driver = undefined
})

/** A topology whose calls the test ends, by their value. */
async function run(build: (stream: KStream<string, string>) => KStream<string, string> = (stream) => stream) {
  const open = new Map<string, PromiseWithResolvers<string>>()
  const started: string[] = []
  const call = (value: string) => {
    const made = Promise.withResolvers<string>()
    open.set(value, made)
    started.push(value)
    return made.promise
  }
  driver = await createTestDriver(
    defineTopology('driven', (b) => {
      build(b.stream(input)).mapAsync('call', call, { concurrency: 2, timeout: '1s' }).to(output)
    }),
  )
  const end = (value: string) => open.get(value)?.resolve(`${value}!`)
  return { d: driver, open, started, end }
}

const read = (d: TestDriver) => d.read(output).map(({ value }) => value)

test('a send resolves when its calls have ended, and results are in order', async () => {
  const { d, started, end } = await run()
  const sends = ['a', 'b', 'c'].map((value) => d.send(input, 'k', value))
  await new Promise(setImmediate)
  expect(started).toEqual(['a', 'b'])
  end('b')
  await new Promise(setImmediate)
  expect(read(d)).toEqual([])
  end('a')
  await new Promise(setImmediate)
  expect([read(d), started]).toEqual([[], ['a', 'b', 'c']])
  end('c')
  await Promise.all(sends)
  expect(read(d), 'a commit waits for every call').toEqual(['a!', 'b!', 'c!'])
})

test('a record that brings more calls than may be under way ends all the same', async () => {
  const { d, started, end } = await run((stream) => stream.flatMapValues((value) => [...value]))
  const sending = d.send(input, 'k', 'abcd')
  for (const value of 'abcd') {
    while (!started.includes(value)) await new Promise(setImmediate)
    end(value)
  }
  await sending
  expect(read(d)).toEqual(['a!', 'b!', 'c!', 'd!'])
})

test('a rejection and a timeout fail every send that waits, with the line and the record', async () => {
  const place = { node: 'call', topic: 'input', file: expect.stringContaining('map-async.test.ts') }
  const { d, open } = await run()
  const sends = ['a', 'b'].map((value) => d.send(input, 'k', value))
  const all = Promise.allSettled(sends)
  await new Promise(setImmediate)
  open.get('a')?.reject(new Error('boom'))
  for (const result of await all) {
    expect(result).toMatchObject({
      reason: { code: 'PROCESSING', message: 'call: boom', where: { ...place, offset: 0 } },
    })
  }
  await d.close()
  const { d: other } = await run()
  const timed = Promise.allSettled([other.send(input, 'k', 'a')])
  await new Promise(setImmediate)
  const advanced = Promise.allSettled([other.advanceWallClock(1000)])
  for (const result of [...(await timed), ...(await advanced)]) {
    expect(result).toMatchObject({
      reason: {
        code: 'PROCESSING',
        message: 'call: a call did not end within 1000 ms',
        where: { ...place, offset: 0 },
      },
    })
  }
})

test('what is downstream sees the record that the result is of', async () => {
  const { d, end } = await run((stream) => stream)
  await d.close()
  driver = await createTestDriver(
    defineTopology('driven', (b) => {
      const values = b.stream(input).mapAsync('twice', async (value) => value + value)
      values
        .processValues('tell', {
          out: { value: string },
          on: ({ value, timestamp }, { forward, topic, offset }) => forward(`${value} ${topic} ${offset} ${timestamp}`),
        })
        .to(output)
    }),
  )
  end('unused')
  await Promise.all([driver.send(input, 'k', 'a', 5), driver.send(input, 'k', 'b', 6)])
  expect(read(driver)).toEqual(['aa input 0 5', 'bb input 1 6'])
})
