/** Topics by a pattern on the command line: wherever a topic is named, one that a pattern matches will do. */

import { expect, test } from 'vitest'
import { call, folder, jsonLines } from './process.ts'

const shops = `
import { defineTopology, json, string, topic, topicPattern } from 'streamctl'
const orders = topicPattern(/shop-.*/, { key: string, value: json })
export default defineTopology('shops', (b) => {
  b.stream(orders).groupByKey().count('orders').toStream().mapValues(String).to(topic('counts', { key: string, value: string }))
})
`
const caughtUp = ['--until', 'caught-up', '--timeout', '15s']
const line = '{"key":"a","value":{"n":1}}\n'

test('run: files for topics that a pattern matches, on the embedded broker; what is there already is read too', async () => {
  const cwd = folder({ 'topology.ts': shops, 'eu.ndjson': line, 'us.ndjson': line + line })
  const args = ['run', 'topology.ts', '--broker', 'embedded', '--out', 'counts=-', ...caughtUp]
  const first = await call([...args, '--in', 'shop-eu=eu.ndjson', '--in', 'shop-us=us.ndjson'], { cwd })
  expect(first.stderr).toContain('caught up')
  expect(first.exit).toBe(0)
  expect(jsonLines(first.stdout).map(({ value }) => value)).toEqual(['1', '2', '3'])

  await call(['produce', 'shop-apac', '--topology', 'topology.ts', '--format', 'ndjson'], { cwd, stdin: line })
  const lag = await call(['lag', 'topology.ts', '--json'], { cwd })
  const { data } = JSON.parse(lag.stdout) as { data: { total: number; partitions: { topic: string }[] } }
  expect(data.total).toBe(1)
  expect(data.partitions.map(({ topic }) => topic)).toEqual(['shop-apac', 'shop-eu', 'shop-us'])

  const second = await call([...args, '--metadata-max-age', '1s'], { cwd })
  expect(jsonLines(second.stdout).map(({ value }) => value)).toEqual(['4'])
  const consumed = await call(['consume', 'shop-apac', '--topology', 'topology.ts', '--until', 'caught-up'], { cwd })
  expect(jsonLines(consumed.stdout)).toMatchObject([{ key: 'a', value: { n: 1 } }])
})

test('run: without a topic that matches it says so, and a file for one that does not is refused', async () => {
  const cwd = folder({ 'topology.ts': shops, 'eu.ndjson': line })
  const none = await call(['run', 'topology.ts', '--broker', 'embedded:memory', ...caughtUp], { cwd })
  expect([none.exit, none.stderr]).toEqual([0, expect.stringContaining('no topic matches /shop-.*/ yet')])
  const wrong = await call(['run', 'topology.ts', '--in', 'shed-eu=eu.ndjson', ...caughtUp], { cwd })
  expect(wrong.exit).toBe(2)
  expect(wrong.stderr).toContain('does not read the topic "shed-eu"')
  expect(wrong.stderr).toContain('It reads /shop-.*/.')
})

test('try, graph and check take the pattern', async () => {
  const cwd = folder({ 'topology.ts': shops })
  const stdin = ['eu', 'us', 'eu'].map((shop) => `{"topic":"shop-${shop}","key":"a","value":{"n":1}}`).join('\n')
  const tried = await call(['try', 'topology.ts'], { cwd, stdin })
  expect(jsonLines(tried.stdout).map(({ value }) => value)).toEqual(['1', '2', '3'])
  const graph = await call(['graph', 'topology.ts'], { cwd })
  expect(graph.stdout).toContain('(/shop-.*/) ──> {orders}=')
  const checked = await call(['check', 'topology.ts', '--write'], { cwd })
  expect(checked.exit).toBe(0)
  const narrower = folder({ 'topology.ts': shops })
  expect(narrower).not.toBe(cwd)
  expect((await call(['check', 'topology.ts', '--json'], { cwd })).stdout).toContain('"verdict":"same"')
})
