/** A Confluent schema registry in miniature: the REST calls a serde needs, in memory, on a free port of the loopback. */

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface FakeRegistry extends AsyncDisposable {
  readonly url: string
  /** `GET /schemas/ids/1`, in order of arrival. */
  readonly requests: string[]
  /** Schemas by id; a test may set any entry of the answer. */
  readonly schemas: Map<number, { schema: string; schemaType?: string; references?: unknown[] }>
  /** Ids by subject. */
  readonly subjects: Map<string, number[]>
  /** When set, every call is answered with this status. */
  failWith: number | undefined
  /** When set, calls need this `Authorization`. */
  authorization: string | undefined
}

export async function fakeRegistry(firstId = 1): Promise<FakeRegistry> {
  const requests: string[] = []
  const schemas: FakeRegistry['schemas'] = new Map()
  const subjects = new Map<string, number[]>()

  const server = createServer((request, response) => {
    const { method = '', url = '' } = request
    requests.push(`${method} ${decodeURIComponent(url)}`)
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => {
      body += chunk
    })
    request.on('end', () => {
      const [status, answer] = respond(method, url, body, request.headers.authorization)
      response.writeHead(status, { 'content-type': 'application/vnd.schemaregistry.v1+json' })
      response.end(JSON.stringify(answer))
    })
  })

  function respond(method: string, path: string, body: string, authorization: string | undefined): [number, unknown] {
    if (fake.failWith !== undefined)
      return [fake.failWith, { error_code: fake.failWith * 100, message: 'told to fail' }]
    if (fake.authorization !== undefined && fake.authorization !== authorization)
      return [401, { message: 'Unauthorized' }]
    const byId = /^\/schemas\/ids\/(\d+)$/.exec(path)
    if (method === 'GET' && byId) {
      const found = schemas.get(Number(byId[1]))
      return found ? [200, found] : [404, { error_code: 40403, message: 'Schema not found' }]
    }
    if (path.startsWith('/config/')) {
      return method === 'PUT'
        ? [200, JSON.parse(body)]
        : [404, { error_code: 40408, message: 'no config for the subject' }]
    }
    const bySubject = /^\/subjects\/([^/]+)\/versions$/.exec(path)
    if (method === 'POST' && bySubject) {
      const { schema } = JSON.parse(body) as { schema: string }
      let id = [...schemas].find(([, known]) => known.schema === schema)?.[0]
      if (id === undefined) {
        id = firstId + schemas.size
        schemas.set(id, { schema })
      }
      const subject = decodeURIComponent(bySubject[1] as string)
      subjects.set(subject, [...new Set([...(subjects.get(subject) ?? []), id])])
      return [200, { id }]
    }
    return [404, { error_code: 404, message: `no such call: ${method} ${path}` }]
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const fake: FakeRegistry = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    schemas,
    subjects,
    failWith: undefined,
    authorization: undefined,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      if (!server.listening) return
      server.close()
      await once(server, 'close')
    },
  }
  return fake
}
