import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { connectKafka } from '../../src/broker/kafka/broker.ts'
import type { Broker } from '../../src/broker/port.ts'
import { noHeaders } from '../../src/common/record.ts'
import { folder, program } from '../cli/process.ts'
import { type FakeRegistry, fakeRegistry } from '../support/registry.ts'
import { readAvro } from './support/avro-bytes.ts'
import { readBytes } from './support/kcat.ts'
import { expectParagraph } from './support/paragraph.ts'
import { createTopic } from './support/topic.ts'

const bootstrap = inject('bootstrap')

const older = { type: 'record', name: 'Person', fields: [{ name: 'name', type: 'string' }] }
const newer = {
  ...older,
  fields: [...older.fields, { name: 'visits', type: 'long', default: 3 }],
}

let app: string
let broker: Broker
let registry: FakeRegistry
let cwd: string
let now = 0

beforeEach(async () => {
  app = `avro-${Date.now()}-${process.pid}`
  broker = await connectKafka({ bootstrap })
  // Ids that no count of anything else is.
  registry = await fakeRegistry(7001)
  cwd = folder()
})

afterEach(async () => {
  await broker.close()
  await registry[Symbol.asyncDispose]()
})

const run = (file: string, ...more: string[]) =>
  program(['run', file, '--broker', bootstrap, '--until', 'caught-up', ...more], {
    cwd,
    env: { STREAMCTL_REGISTRY: registry.url },
  })

async function create(...topics: readonly string[]): Promise<void> {
  for (const topic of topics) await createTopic(broker, `${app}-${topic}`, 1)
}

async function write(topic: string, records: readonly (readonly [key: string, value: Buffer | null])[]): Promise<void> {
  const producer = await broker.plainProducer()
  const output = producer.output(`${app}-${topic}`)
  // Later than whatever was written before.
  now += 1000
  for (const [i, [key, value]] of records.entries()) output.append(0, Buffer.from(key), value, now + i, noHeaders)
  await producer.flush()
  await producer.close()
}

/** Confluent's wire format by hand: only strings shorter than 64 bytes and longs from 0 to 63 are needed. */
function person(id: number, name: string, visits?: number): Buffer {
  const header = Buffer.alloc(5)
  header.writeInt32BE(id, 1)
  const tail = visits === undefined ? [] : [visits * 2]
  return Buffer.concat([header, Buffer.from([Buffer.byteLength(name) * 2]), Buffer.from(name), Buffer.from(tail)])
}

/** Persons as a table that strings are joined with, by a schema of the table's. */
async function greetings(schema: object): Promise<void> {
  const text = `
    import { avro, defineTopology, string, topic } from 'streamctl'
    const people = topic('${app}-people', { key: string, value: avro(${JSON.stringify(schema)} as const) })
    const words = topic('${app}-words', { key: string, value: string })
    const greetings = topic('${app}-greetings', { key: string, value: string })
    export default defineTopology('${app}', (b) => {
      const known = b.table(people, { store: 'people' })
      b.stream(words)
        .leftJoin(known, (word, person) => word + ' ' + (person === null ? 'stranger' : Object.values(person).join(' ')))
        .to(greetings)
    })`
  await writeFile(join(cwd, 'greetings.ts'), text)
}

const greeted = async (): Promise<string[]> =>
  (await readBytes(bootstrap, `${app}-greetings`)).map(({ value }) => String(value))

test('results carry the id that the registry gave their subject; internal topics name no subject of theirs', async () => {
  await create('orders', 'customers', 'orders-enriched')
  const renamed = fileURLToPath(new URL('fixtures/renamed.ts', import.meta.url))
  const env = {
    RENAMED_TOPOLOGY: fileURLToPath(new URL('../../topologies/orders-enriched.ts', import.meta.url)),
    RENAMED_PREFIX: `${app}-`,
    STREAMCTL_REGISTRY: registry.url,
  }
  const call = async (stdin: string, ...args: string[]): Promise<void> => {
    const result = await program([...args, '--broker', bootstrap], { cwd, env, stdin })
    expect([result.exit, result.stdout], result.stderr).toEqual([0, ''])
  }
  const customer = JSON.stringify({ key: 'c1', value: { name: 'Ada', tier: 'pro', country: null } })
  const order = JSON.stringify({
    key: 'o1',
    value: { orderId: 'o1', customerId: 'c1', cents: '9007199254740993', currency: 'USD' },
  })
  await call(customer, 'produce', `${app}-customers`, '--format', 'ndjson', '--topology', renamed)
  await call(order, 'produce', `${app}-orders`, '--format', 'ndjson', '--topology', renamed)
  registry.requests.length = 0
  await call('', 'run', renamed, '--app-id', app, '--until', 'caught-up')

  const [result, ...more] = await readBytes(bootstrap, `${app}-orders-enriched`)
  expect(more).toEqual([])
  const [id] = registry.subjects.get(`${app}-orders-enriched-value`) as [number]
  expect(result?.value?.subarray(0, 5).toString('hex')).toBe(`00${id.toString(16).padStart(8, '0')}`)
  expect(id).toBeGreaterThan(7000)
  expect(readAvro(result?.value as Buffer, registry)).toEqual({
    id,
    value: { orderId: 'o1', customer: 'Ada', tier: 'pro', cents: 2n ** 53n + 1n, currency: 'USD' },
  })
  // Each engine registers what it writes; nobody has to ask for a schema of its own.
  expect([...new Set(registry.requests)].toSorted()).toEqual([
    `POST /subjects/${app}-orders-enriched-value/versions`,
    'POST /subjects/shop.Customer/versions',
    'POST /subjects/shop.Order/versions',
  ])
})

test('an id is asked for once, however many records of a batch carry it; older writers are read with our defaults', async () => {
  await create('people', 'names', 'dead')
  registry.schemas.set(41, { schema: JSON.stringify(older) })
  registry.schemas.set(42, { schema: JSON.stringify({ ...newer, doc: 'of another writer' }) })
  registry.schemas.set(43, { schema: JSON.stringify({ ...older, fields: [{ name: 'name', type: 'int' }] }) })
  const people = Array.from({ length: 400 }, (_, i) => {
    const id = [41, 42, 43, 4242][i % 4] as number
    return [`k${i}`, person(id, `n${i}`, id === 42 ? i % 60 : undefined)] as const
  })
  await write('people', people)
  await writeFile(
    join(cwd, 'names.ts'),
    `
    import { avro, defineTopology, string, topic } from 'streamctl'
    const people = topic('${app}-people', { key: string, value: avro(${JSON.stringify(newer)} as const) })
    const names = topic('${app}-names', { key: string, value: string })
    export default defineTopology('${app}', (b) => {
      b.stream(people, { onDeserializationError: { deadLetter: '${app}-dead' } })
        .mapValues(({ name, visits }) => name + ' ' + visits)
        .to(names)
    })`,
  )
  const result = await run('names.ts')
  expect([result.exit, result.stdout], result.stderr).toEqual([0, ''])
  const expected = people.flatMap((_, i) => (i % 4 === 0 ? [`n${i} 3`] : i % 4 === 1 ? [`n${i} ${i % 60}`] : []))
  expect((await readBytes(bootstrap, `${app}-names`)).map(({ value }) => String(value))).toEqual(expected)
  const dead = people.filter((_, i) => i % 4 > 1).map(([, value]) => value.toString('hex'))
  expect((await readBytes(bootstrap, `${app}-dead`)).map(({ value }) => value?.toString('hex'))).toEqual(dead)
  expect(registry.requests.toSorted()).toEqual([41, 42, 4242, 43].map((id) => `GET /schemas/ids/${id}`))
})

test('an unknown id stops the run where it stands, naming id and registry', async () => {
  await create('people', 'words', 'greetings')
  await greetings(newer)
  await write('people', [['ada', person(4242, 'Ada')]])
  const found = [
    `schema id 4242 is not in the registry at ${registry.url}`,
    `${app}-people-0 at offset 0`,
    /another registry/,
  ]
  expectParagraph(await run('greetings.ts'), 7, ...found)
})

test('a registry that is down stops nothing for good: exit 4, and the next run goes on', async () => {
  await create('people', 'words', 'greetings')
  await greetings(newer)
  registry.schemas.set(41, { schema: JSON.stringify(older) })
  await write('people', [['ada', person(41, 'Ada')]])
  await write('words', [['ada', Buffer.from('hello')]])
  registry.failWith = 503
  expectParagraph(await run('greetings.ts'), 4, registry.url, /registry is up/)
  registry.failWith = undefined
  expect((await run('greetings.ts')).exit).toBe(0)
  expect(await greeted()).toEqual(['hello Ada 3'])
})

test('stores on disk: the same schema reads on after a restart without a fetch, another one is refused in words', async () => {
  await create('people', 'words', 'greetings')
  registry.schemas.set(41, { schema: JSON.stringify(older) })
  await greetings(older)
  await write('people', [
    ['ada', person(41, 'Ada')],
    ['bob', person(41, 'Bob')],
    ['eve', null],
  ])
  await write('words', [['ada', Buffer.from('hello')]])
  expect((await run('greetings.ts')).exit).toBe(0)

  registry.requests.length = 0
  await write('words', [
    ['bob', Buffer.from('good morning')],
    ['eve', Buffer.from('hi')],
  ])
  const again = await run('greetings.ts')
  expect([again.exit, again.stdout], again.stderr).toEqual([0, ''])
  expect(await greeted()).toEqual(['hello Ada', 'good morning Bob', 'hi stranger'])
  expect(registry.requests.filter((request) => request.startsWith('GET'))).toEqual([])

  await greetings(newer)
  await write('words', [['ada', Buffer.from('bye')]])
  expectParagraph(await run('greetings.ts'), 3, /store people: value was avro:Person#\w+ and is/, /--accept-topology/)
  const refused = [
    /store people was written as "key-value string avro:Person#\w+" and is now declared/,
    /another --app-id/,
  ]
  expectParagraph(await run('greetings.ts', '--accept-topology'), 3, ...refused)
  const fresh = await run('greetings.ts', '--app-id', `${app}-2`)
  expect([fresh.exit, fresh.stdout], fresh.stderr).toEqual([0, ''])
  expect((await greeted()).slice(3)).toEqual(['hello Ada 3', 'good morning Bob 3', 'hi stranger', 'bye Ada 3'])
})

test('the same schema is restored from its changelog; rows of an older one are refused in words, not misread', async () => {
  await create('people', 'words', 'greetings')
  registry.schemas.set(41, { schema: JSON.stringify(older) })
  await greetings(older)
  await write('people', [['ada', person(41, 'Ada')]])
  expect((await run('greetings.ts')).exit).toBe(0)
  await rm(join(cwd, '.streamctl'), { recursive: true })
  await write('words', [['ada', Buffer.from('hello')]])
  expect((await run('greetings.ts')).exit).toBe(0)
  expect(await greeted()).toEqual(['hello Ada'])

  await rm(join(cwd, '.streamctl'), { recursive: true })
  await greetings(newer)
  await write('words', [['ada', Buffer.from('bye')]])
  expectParagraph(
    await run('greetings.ts', '--accept-topology'),
    7,
    /store people: .* schema 41 is not the schema of avro:Person/,
    /another --app-id/,
  )
  expect(await greeted()).toEqual(['hello Ada'])
})
