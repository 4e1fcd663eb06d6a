/** Queries over HTTP of an application in two processes, with two engine threads each. */

import { join } from 'node:path'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { connectKafka } from '../../src/broker/kafka/broker.ts'
import type { Broker } from '../../src/broker/port.ts'
import { folder } from '../cli/process.ts'
import { endsWith, type RunProcess, startRun } from './support/run-process.ts'
import { createTopic, writeLines } from './support/topic.ts'

const bootstrap = inject('bootstrap')
const partitions = 8
const words = Array.from({ length: 50 }, (_, n) => `word-${n}`)

let app: string
let broker: Broker
let cwd: string
const runs: RunProcess[] = []

beforeEach(async () => {
  app = `queries-${Date.now()}-${process.pid}`
  broker = await connectKafka({ bootstrap })
  cwd = folder({
    'topology.ts': `
      import { defineTopology, string, topic } from 'streamctl'
      const lines = topic('${app}-lines', { key: string, value: string })
      export default defineTopology('${app}', (b) => {
        b.stream(lines)
          .flatMapValues((line) => line.split(' '))
          .groupBy('by-word', (word) => word, { key: string, value: string })
          .count('totals')
        b.globalTable(topic('${app}-names', { key: string, value: string }), { store: 'names' })
      })`,
  })
  await createTopic(broker, `${app}-lines`, partitions)
  await createTopic(broker, `${app}-names`, 1)
  await writeLines(
    bootstrap,
    `${app}-lines`,
    partitions,
    Array.from({ length: 8 }, () => words.join(' ')),
  )
})

afterEach(async () => {
  for (const run of runs.splice(0)) {
    run.kill('SIGKILL')
    await run.ended
  }
  await broker.close()
})

interface Answer {
  readonly status: number
  readonly body: {
    readonly rows: readonly { readonly key: string; readonly value: number }[]
    readonly partitions: readonly number[]
    readonly value: number
    readonly error: { readonly message: string }
  }
}

interface Served {
  readonly run: RunProcess
  ask(path: string): Promise<Answer>
}

async function start(name: string): Promise<Served> {
  const run = startRun([
    ...[join(cwd, 'topology.ts'), '--broker', bootstrap, '--state-dir', join(cwd, name), '--workers', '2'],
    ...['--queries', '0'],
  ])
  runs.push(run)
  await run.said(/queries: http:\S+\n/)
  const [, url] = /queries: (http:\S+)\n/.exec(run.log()) as RegExpExecArray
  return {
    run,
    ask: async (path) => {
      const response = await fetch(`${url}${path}`)
      return { status: response.status, body: (await response.json()) as Answer['body'] }
    },
  }
}

/** Asks until all is counted; no answer in between is of a part. */
async function whole({ ask }: Served): Promise<Answer['body']> {
  for (;;) {
    const { status, body } = await ask('/totals/all?limit=1000')
    if (status !== 200) {
      expect([503, body.error]).toEqual([status, body.error])
      continue
    }
    expect(body.partitions).toEqual(Array.from({ length: partitions }, (_, partition) => partition))
    if (body.rows.length === words.length && body.rows.every(({ value }) => value === 8)) return body
  }
}

test('both processes answer for all, and one goes on when the other leaves', async () => {
  const [one, two] = await Promise.all([start('one'), start('two')])
  for (const served of [one, two]) {
    expect((await whole(served)).rows.map(({ key }) => key)).toEqual(words.toSorted())
    expect((await served.ask('/names/all')).body).toMatchObject({ rows: [] })
  }
  const local = await Promise.all([one, two].map(({ ask }) => ask('/totals/all?local=true')))
  expect(local.flatMap(({ body }) => body.partitions).sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  for (const { body } of local) expect(body.partitions.length).toBeLessThan(partitions)
  for (const word of words) {
    for (const { ask } of [one, two]) {
      expect(await ask(`/totals/get?key=${word}`)).toMatchObject({ status: 200, body: { key: word, value: 8 } })
    }
  }
  expect(await one.ask('/totals/get?key=nobody')).toMatchObject({ status: 404 })
  expect(await one.ask('/total/get?key=nobody')).toMatchObject({ status: 404 })
  expect(await one.ask('/totals/get')).toMatchObject({ status: 400 })

  two.run.kill('SIGTERM')
  await endsWith(two.run, 0)
  await whole(one)
  expect((await one.ask('/totals/all?local=true')).body.partitions).toHaveLength(partitions)
  one.run.kill('SIGTERM')
  await endsWith(one.run, 0)
}, 120_000)
