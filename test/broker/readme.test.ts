/** What the README tells its reader to type on Kafka, word for word but for the broker's address. */

import { join } from 'node:path'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { connectKafka } from '../../src/broker/kafka/broker.ts'
import { kafkaJars } from '../../tools/kafka/jars.ts'
import { javaTools } from '../../tools/kafka/java-tool.ts'
import { jsonLines } from '../cli/process.ts'
import { type Block, blocks, page, theBlock } from '../docs/blocks.ts'
import { type Shell, type Started, shell } from '../docs/shell.ts'

const bootstrap = inject('bootstrap')
const all = blocks(page('README.md'))
/** Topics and the app of the README, for this run of the test alone: another test or an earlier run may use the cluster. */
const suffix = `-${Date.now()}`

let reader: Shell
let started: Started[]

/** The README's words on this broker. Names end in the suffix; files keep theirs. */
function here(text: string): string {
  return text
    .replaceAll('localhost:9092', bootstrap)
    .replaceAll(/\b(views-per-minute|page-views)\b/g, `$1${suffix}`)
    .replaceAll(/(--topic |produce |topic\('|"topic":")views(?![\w-])/g, `$1views${suffix}`)
}

function typed(name: string): string {
  return here(theBlock(all, 'run', name).text)
}

beforeEach(async () => {
  started = []
  reader = shell()
  const lib = await kafkaJars()
  const java = 'java -Xmx256m -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=error'
  reader.command('kafka-topics.sh', `exec ${java} -cp '${join(lib, '*')}' ${javaTools.topics} "$@"`)
  for (const { role, name, text } of all) if (role === 'file') reader.file(name, here(text))
  const [input] = all.filter(({ text }) => text.includes('cat > views.ndjson')) as [Block]
  reader.file('views.ndjson', /<<'END'\n([\s\S]*?)END\n/.exec(input.text)?.[1] as string)
})

afterEach(async () => {
  for (const { child } of started) if (child.pid !== undefined && child.exitCode === null) child.kill('SIGKILL')
  await Promise.all(started.map(({ ended }) => ended))
  reader.remove()
})

/** Resolves when the process has said it; rejects when it ends before. */
async function said(process: Started, pattern: RegExp): Promise<void> {
  let over: number | NodeJS.Signals | undefined
  void process.ended.then(({ exit }) => {
    over = exit
  })
  while (!pattern.test(process.log())) {
    if (over !== undefined) throw new Error(`ended with ${over} before it said ${pattern}:\n${process.log()}`)
    await new Promise((resolve) => process.child.stderr?.once('data', resolve).once('close', resolve))
  }
}

/** A command that runs until it is stopped: the shell's place is taken by it, so that a signal reaches it. */
function start(name: string): Started {
  const process = reader.start(`exec ${typed(name).replace(/^npx /, '')}`)
  started.push(process)
  return process
}

test('the first run, two processes, and the CI recipe', async () => {
  const first = await reader.run(typed('kafka'))
  expect(first.exit, first.stderr).toBe(0)
  const shown = jsonLines(first.stdout.slice(first.stdout.indexOf('{'))).map(({ key, value, timestamp }) => ({
    key,
    value,
    timestamp,
  }))
  const expected = [
    { key: { key: '/home', start: 0, end: 60000 }, value: 1, timestamp: 1000 },
    { key: { key: '/home', start: 0, end: 60000 }, value: 2, timestamp: 2000 },
    { key: { key: '/docs', start: 60000, end: 120000 }, value: 1, timestamp: 61000 },
    { key: { key: '/home', start: 60000, end: 120000 }, value: 1, timestamp: 62000 },
  ]
  expect(shown).toHaveLength(expected.length)
  expect(shown).toEqual(expect.arrayContaining(expected))

  // Four tasks each: two sub-topologies of four partitions, shared.
  const one = start('kafka-first')
  await said(one, /generation \d+: 8 tasks/)
  const two = start('kafka-second')
  await said(two, /generation \d+: 4 tasks/)
  await said(one, /generation \d+: 4 tasks/)
  two.child.kill('SIGTERM')
  expect((await two.ended).exit, two.log()).toBe(0)
  await said(one, /4 tasks[\s\S]*generation \d+: 8 tasks/)
  one.child.kill('SIGTERM')
  expect((await one.ended).exit, one.log()).toBe(0)

  const ci = await reader.run(typed('ci'), { STREAMCTL_BROKER: bootstrap })
  expect(ci.exit, ci.stderr).toBe(0)
  expect(ci.stdout).toContain('total lag 0')
  expect(ci.stderr).toContain(`broker: Kafka at ${bootstrap}`)

  // Counted on: state and positions of the first run are those of the second.
  const broker = await connectKafka({ bootstrap })
  const inputs = Array.from({ length: 4 }, (_, partition) => ({ topic: `views${suffix}`, partition }))
  const committed = await broker.committed(`page-views${suffix}`, inputs)
  await broker.close()
  const read = await reader.run(
    `npx streamctl consume views${suffix} --broker ${bootstrap} --topology views.ts --until caught-up`,
  )
  expect(read.exit, read.stderr).toBe(0)
  expect(jsonLines(read.stdout)).toHaveLength(8)
  expect(committed.reduce((sum, { offset }) => sum + offset, 0)).toBeGreaterThanOrEqual(8)
})
