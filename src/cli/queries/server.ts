/** Queries over HTTP: addresses in, JSON out. It only reads, and is there before the application is, to say that it is not. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { StreamError } from '../../common/errors.ts'
import type { QueryableStore } from '../../runtime/queries.ts'
import { toJson } from '../json-values.ts'
import { type Address, addressText } from './address.ts'
import { type Answer, findStore } from './answer.ts'
import { type Question, questionOf, scopeOf, verbsOf } from './question.ts'
import { refusalOf, refuse } from './refusal.ts'

/** What the server is asked for. */
export interface Queried {
  readonly app: string
  readonly stores: readonly QueryableStore[]
  /** @param local of what is in this process alone. */
  answer(store: QueryableStore, question: Question, local: boolean): Promise<Answer>
}

export interface QueryServer {
  /** With the port that was chosen. */
  readonly address: Address
  close(): Promise<void>
}

/**
 * @param queried undefined while the application starts.
 * @throws StreamError LOCKED when another process listens there, INVALID_ARGUMENT when it cannot be listened on.
 */
export async function serveQueries(asked: Address, queried: () => Queried | undefined): Promise<QueryServer> {
  const server = createServer((request, response) => void respond(request, response, queried))
  await listen(server, asked)
  const { address: host, port } = server.address() as AddressInfo
  return {
    address: { host, port },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function listen(server: Server, { host, port }: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const where = addressText({ host, port })
      if (error.code === 'EADDRINUSE') {
        const hint = 'Give --queries another port, or 0 for a free one.'
        reject(new StreamError('LOCKED', `queries: another process listens on ${where}`, { hint }))
        return
      }
      const hint = 'Give --queries a port above 1023, and a host that is an address of this machine.'
      reject(new StreamError('INVALID_ARGUMENT', `queries: cannot listen on ${where}: ${error.message}`, { hint }))
    })
    server.listen(port, host, () => {
      server.removeAllListeners('error')
      resolve()
    })
  })
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  queried: () => Queried | undefined,
): Promise<void> {
  try {
    if (request.method !== 'GET') {
      response.setHeader('allow', 'GET')
      throw refuse(405, 'INVALID_ARGUMENT', `${request.method} is not answered: queries only read`, {
        hint: 'Ask with GET.',
      })
    }
    send(response, 200, await bodyOf(request.url ?? '/', queried()))
  } catch (thrown) {
    const { status, code, message, hint = '' } = refusalOf(thrown)
    if (status === 503) response.setHeader('retry-after', '1')
    send(response, status, toJson({ error: { code, message, hint } }))
  }
}

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  response.end(`${body}\n`)
}

async function bodyOf(target: string, queried: Queried | undefined): Promise<string> {
  const url = new URL(target, 'http://localhost')
  const [root, name, verb, ...rest] = pathOf(url)
  if (root !== 'stores' || rest.length > 0) {
    throw refuse(404, 'INVALID_ARGUMENT', `there is nothing at ${url.pathname}`, { hint: 'Begin with /stores.' })
  }
  if (queried === undefined) {
    throw refuse(503, 'REBALANCE', 'the application is starting', { hint: 'Ask again when it is running.' })
  }
  if (name === undefined) return toJson({ app: queried.app, stores: queried.stores.map(described) })
  const store = findStore(queried.stores, name)
  if (verb === undefined) return toJson(described(store))
  const question = questionOf(store, verb, url.searchParams)
  const { local, ordered } = scopeOf(url.searchParams)
  const answer = await queried.answer(store, question, local)
  return ordered ? forMerging(queried.app, answer) : shown(question, answer)
}

function pathOf(url: URL): readonly string[] {
  try {
    return url.pathname.split('/').filter(Boolean).map(decodeURIComponent)
  } catch {
    throw refuse(400, 'INVALID_ARGUMENT', `${url.pathname} does not decode`, {
      hint: 'Encode each part of the path as UTF-8.',
    })
  }
}

function described(store: QueryableStore): object {
  const { name, kind, key, value, partitions } = store
  return {
    name,
    kind,
    key: key.format,
    value: value.format,
    ...(partitions === undefined ? { global: true } : { partitions }),
    queries: verbsOf(store),
  }
}

/** As one process answers another: rows, even of one key, and what they are merged by. */
function forMerging(app: string, { partitions, rows, more, count }: Answer): string {
  const ordered = rows.map(({ order, json }) => `{"order":${toJson(order)},"row":${json}}`)
  return `{"app":${toJson(app)},"partitions":${toJson(partitions)},"rows":[${ordered.join(',')}],"more":${more},"count":${count}}`
}

function shown({ store, verb }: Question, { partitions, rows, more, count }: Answer): string {
  const head = `{"store":${toJson(store)},`
  if (verb === 'count') return `${head}"partitions":${toJson(partitions)},"count":${count}}`
  if (verb !== 'get') {
    return `${head}"partitions":${toJson(partitions)},"rows":[${rows.map(({ json }) => json).join(',')}],"more":${more}}`
  }
  const [row] = rows
  if (row !== undefined) return `${head}${row.json.slice(1)}`
  throw refuse(404, 'INVALID_ARGUMENT', `store ${store} has no row of that key`, {
    hint: 'Look what it has with /all.',
  })
}
