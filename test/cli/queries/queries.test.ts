import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { call, folder, jsonLines } from '../process.ts'

const topology = `
import { bytes, defineTopology, double, int64, json, string, topic, Windows } from 'streamctl'
const payments = topic('payments', { key: string, value: double })
const numbers = topic('numbers', { key: int64, value: int64 })
const blobs = topic('blobs', { key: bytes, value: bytes })
const orders = topic('orders', { key: json<{ id: number }>(), value: json<unknown>() })
const names = topic('names', { key: string, value: string })
const prices = topic('prices', { key: string, value: double })
export default defineTopology('balances', (b) => {
  const byAccount = b.stream(payments).groupByKey()
  byAccount.reduce('balances', (balance, amount) => balance + amount)
  byAccount.windowedBy(Windows.tumbling('10s', { grace: '1h' })).count('by-window')
  byAccount.windowedBy(Windows.session('1s', { grace: '1h' })).count('by-session')
  b.table(numbers, { store: 'numbers' })
  b.table(blobs, { store: 'blobs' })
  b.table(orders, { store: 'orders' })
  b.globalTable(names, { store: 'names' })
  b.table(prices, { store: 'prices', history: '1h' })
})
`

const lines = (...records: readonly (readonly [key: unknown, value: unknown, timestamp?: number])[]): string =>
  records.map(([key, value, timestamp = 0]) => `${JSON.stringify({ key, value, timestamp })}\n`).join('')

const files = {
  'topology.ts': topology,
  'payments.jsonl': lines(['ada', 20, 0], ['bob', 7, 10], ['ada', 5, 10_000], ['über/ö', 1, 20], ['adam', 3, 30]),
  'numbers.jsonl': lines(['9223372036854775807', '-9223372036854775808'], [5, 6]),
  'blobs.jsonl': lines(['AP8=', '/wA=']),
  'orders.jsonl': lines([{ id: 7 }, { total: [1, null] }]),
  'names.jsonl': lines(['a', 'Ada']),
  'prices.jsonl': lines(['x', 1, 100], ['x', 2, 200]),
}
const inputs = ['payments', 'numbers', 'blobs', 'orders', 'names', 'prices']

interface Running {
  readonly get: (path: string, init?: RequestInit) => Promise<{ status: number; headers: Headers; body: unknown }>
  /** Ends the run. */
  readonly stop: () => Promise<{ readonly exit: number; readonly stdout: string; readonly stderr: string }>
}

async function running(
  more: readonly string[] = [],
  given: Readonly<Record<string, string>> = files,
): Promise<Running> {
  const cwd = folder(given)
  const ready = Promise.withResolvers<string>()
  let signal = (): void => undefined
  const fed = inputs.filter((name) => `${name}.jsonl` in given).flatMap((name) => ['--in', `${name}=${name}.jsonl`])
  const ended = call(
    ['run', 'topology.ts', '--broker', 'embedded:memory', '--json', '--queries', '0', ...fed, ...more],
    {
      cwd,
      onReady: (send) => {
        signal = send
      },
      onStdout: (text) => {
        for (const event of jsonLines(text.slice(0, text.lastIndexOf('\n') + 1)) as { kind: string; url?: string }[]) {
          if (event.kind === 'queries') ready.resolve(event.url as string)
        }
      },
    },
  )
  void ended.then(({ stderr }) => ready.reject(new Error(stderr)))
  const stop = () => {
    signal()
    return ended
  }
  onTestFinished(() => void stop())
  const url = await ready.promise
  const get: Running['get'] = async (path, init) => {
    const response = await fetch(new URL(path, url), init)
    return { status: response.status, headers: response.headers, body: await response.json() }
  }
  return { get, stop }
}

/** Until all that was fed is committed. */
async function settled(app: Running): Promise<void> {
  const wanted = ['/stores/balances/get?key=adam', '/stores/numbers/get?key=5', '/stores/blobs/get?key=AP8=']
  wanted.push('/stores/orders/get?key={"id":7}', '/stores/names/get?key=a', '/stores/prices/get?key=x&asOf=250')
  for (const path of wanted) while ((await app.get(path)).status !== 200) await new Promise(setImmediate)
}

const row = (key: unknown, value: unknown, timestamp: number) => ({ key, value, timestamp })

test('stores of a run are read over HTTP, by their kinds', async () => {
  const app = await running(['--partitions', '4'])
  await settled(app)
  const body = async (path: string) => (await app.get(path)).body

  expect(await body('/stores')).toMatchObject({
    app: 'balances',
    stores: [
      { name: 'balances', kind: 'key-value', key: 'string', value: 'double', partitions: 4 },
      { name: 'by-window', kind: 'window', partitions: 4, queries: ['fetch', 'all'] },
      { name: 'by-session', kind: 'session', partitions: 4 },
      { name: 'numbers', kind: 'key-value', key: 'int64', value: 'int64' },
      { name: 'blobs', kind: 'key-value', key: 'bytes' },
      { name: 'orders', kind: 'key-value' },
      { name: 'prices', kind: 'versioned', queries: ['get', 'all'] },
      { name: 'names', kind: 'key-value', global: true },
    ],
  })
  expect(await body('/stores/balances')).toMatchObject({ name: 'balances', partitions: 4 })

  expect(await body('/stores/balances/get?key=ada')).toEqual({ store: 'balances', ...row('ada', 25, 10_000) })
  expect(await body('/stores/balances/get?key=%C3%BCber%2F%C3%B6')).toMatchObject(row('über/ö', 1, 20))
  const everything = [row('ada', 25, 10_000), row('adam', 3, 30), row('bob', 7, 10), row('über/ö', 1, 20)]
  expect(await body('/stores/balances/all')).toEqual({
    store: 'balances',
    partitions: [0, 1, 2, 3],
    rows: everything,
    more: false,
  })
  expect(await body('/stores/balances/all?reverse=true&limit=3')).toMatchObject({
    rows: everything.toReversed().slice(0, 3),
    more: true,
  })
  expect(await body('/stores/balances/range?from=adam&to=bob')).toMatchObject({ rows: everything.slice(1, 3) })
  expect(await body('/stores/balances/range?to=ada')).toMatchObject({ rows: everything.slice(0, 1), more: false })
  expect(await body('/stores/balances/prefix?prefix=ada&limit=1')).toMatchObject({
    rows: everything.slice(0, 1),
    more: true,
  })
  expect(await body('/stores/balances/count')).toEqual({ store: 'balances', partitions: [0, 1, 2, 3], count: 4 })

  const window = (key: string, start: number) => ({ key, start, end: start + 10_000 })
  expect(await body('/stores/by-window/fetch?key=ada')).toMatchObject({
    rows: [row(window('ada', 0), 1, 0), row(window('ada', 10_000), 1, 10_000)],
  })
  expect(await body('/stores/by-window/fetch?key=ada&from=1&to=10000')).toMatchObject({
    rows: [row(window('ada', 10_000), 1, 10_000)],
  })
  expect(await body('/stores/by-window/all?limit=4')).toMatchObject({
    rows: ['ada', 'adam', 'bob', 'über/ö'].map((key) => ({ key: window(key, 0) })),
    more: true,
  })
  expect(await body('/stores/by-window/fetch?from=10000&reverse=true')).toMatchObject({
    rows: [{ key: window('ada', 10_000) }],
  })

  const session = (key: string, at: number) => row({ key, start: at, end: at }, 1, at)
  expect(await body('/stores/by-session/fetch?key=ada')).toMatchObject({
    rows: [session('ada', 0), session('ada', 10_000)],
  })
  expect(await body('/stores/by-session/fetch?key=ada&from=1')).toMatchObject({ rows: [session('ada', 10_000)] })
  expect(await body('/stores/by-session/fetch?fromKey=adam&toKey=bob')).toMatchObject({
    rows: [session('adam', 30), session('bob', 10)],
  })

  expect(await body('/stores/prices/get?key=x')).toMatchObject(row('x', 2, 200))
  expect(await body('/stores/prices/get?key=x&asOf=150')).toMatchObject(row('x', 1, 100))
  expect(await body('/stores/names/all')).toMatchObject({ rows: [row('a', 'Ada', 0)] })

  const { exit } = await app.stop()
  expect(exit).toBe(0)
})

test('whole numbers beyond 2^53, bytes and JSON come and go as text', async () => {
  const app = await running()
  await settled(app)
  const body = async (path: string) => (await app.get(path)).body
  expect(await body('/stores/numbers/get?key=9223372036854775807')).toMatchObject({
    key: '9223372036854775807',
    value: '-9223372036854775808',
  })
  expect(await body('/stores/numbers/range?from=5&to=5')).toMatchObject({ rows: [{ key: 5, value: 6 }] })
  expect(await body('/stores/blobs/get?key=AP8%3D')).toMatchObject({ key: 'AP8=', value: '/wA=' })
  expect(await body('/stores/blobs/prefix?prefix=AA%3D%3D')).toMatchObject({ rows: [{ key: 'AP8=' }] })
  expect(await body(`/stores/orders/get?key=${encodeURIComponent('{"id":7}')}`)).toMatchObject({
    key: { id: 7 },
    value: { total: [1, null] },
  })
})

test('a query that has no answer says why', async () => {
  const app = await running()
  await settled(app)
  const refused: readonly [path: string, status: number, message: RegExp, hint: RegExp][] = [
    ['/', 404, /nothing at \/$/, /\/stores/],
    ['/stores/balances/get/more', 404, /nothing at/, /\/stores/],
    ['/stores/balnces/get?key=a', 404, /no store balnces that can be read/, /It has balances, by-window, /],
    ['/stores/balances/get?key=nobody', 404, /has no row of that key/, /\/all/],
    ['/stores/balances/fetch?key=a', 404, /is a key-value store, which has no \/fetch/, /\/get, \/range/],
    ['/stores/balances/toString', 404, /has no \/toString/, /\/get/],
    ['/stores/balances/get', 400, /needs the key/, /\?key=/],
    ['/stores/balances/get?key=a&key=b', 400, /key is given twice/, /once/],
    ['/stores/balances/all?limt=3', 400, /takes no limt/, /limit/],
    ['/stores/balances/all?limit=0', 400, /limit is "0"/, /from 1 to 10000/],
    ['/stores/balances/all?limit=10001', 400, /limit is "10001"/, /from 1 to 10000/],
    ['/stores/balances/all?reverse=yes', 400, /reverse is "yes"/, /true or false/],
    ['/stores/balances/all?partition=1', 400, /no partition 1/, /0 to 0/],
    ['/stores/names/all?partition=0', 400, /no partition 0/, /global table/],
    ['/stores/balances/prefix', 400, /needs what the keys begin with/, /\?prefix=/],
    ['/stores/numbers/get?key=five', 400, /key is no key of the store: a whole number/, /int64/],
    ['/stores/numbers/prefix?prefix=5', 400, /no prefix as text/, /\/range/],
    ['/stores/blobs/get?key=%C3%BC', 400, /base64/, /bytes/],
    ['/stores/orders/get?key={', 400, /as JSON/, /JSON/],
    ['/stores/orders/get?key=null', 400, /null, which is no key/, /key of the row/],
    ['/stores/by-window/fetch?from=now', 400, /from is "now", which is no time/, /ms since the epoch/],
    ['/stores/by-session/fetch?from=1', 400, /times of the sessions of a key/, /fromKey/],
    ['/stores/by-session/fetch?key=a&fromKey=b', 400, /a range of keys too/, /or fromKey/],
    ['/stores/%FF/all', 400, /does not decode/, /UTF-8/],
  ]
  for (const [path, status, message, hint] of refused) {
    const answer = await app.get(path)
    expect([path, answer.status, answer.body]).toEqual([
      path,
      status,
      {
        error: {
          code: 'INVALID_ARGUMENT',
          message: expect.stringMatching(message) as string,
          hint: expect.stringMatching(hint) as string,
        },
      },
    ])
  }
  const posted = await app.get('/stores', { method: 'POST', body: '{}' })
  expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET'])
  expect(posted.headers.get('content-type')).toBe('application/json; charset=utf-8')
})

test.each([
  ['9x', /'9x' is invalid. Give a port, or host:port/],
  ['host:', /Give a port, or host:port/],
  ['70000', /Give a port, or host:port/],
  ['http://localhost:80', /Give a port, or host:port/],
])('--queries %s', async (address, said) => {
  const result = await call(['run', 'topology.ts', '--queries', address], { cwd: folder(files) })
  expect(result).toMatchObject({ exit: 2, stdout: '', stderr: expect.stringMatching(said) as string })
})

test('a port that is taken, and a host that is not here', async () => {
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void taken.close())
  const { port } = taken.address() as AddressInfo
  const run = (address: string) =>
    call(['run', 'topology.ts', '--broker', 'embedded:memory', '--queries', address], { cwd: folder(files) })
  expect(await run(`${port}`)).toMatchObject({
    exit: 8,
    stderr: expect.stringContaining(
      `another process listens on 127.0.0.1:${port}. Give --queries another port`,
    ) as string,
  })
  expect(await run('192.0.2.1:0')).toMatchObject({
    exit: 2,
    stderr: expect.stringMatching(/cannot listen on 192\.0\.2\.1:0: .*EADDRNOTAVAIL/) as string,
  })
})
