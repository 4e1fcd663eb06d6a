/** A Confluent schema registry over @kafkajs/confluent-schema-registry's REST client; loaded only when one is configured. */

import { SchemaRegistry as Client } from '@kafkajs/confluent-schema-registry'
import { messageOf, StreamError } from '../common/errors.ts'
import type { SchemaRegistry } from './registry.ts'

const timeoutMs = 10_000

/** The calls of the client's REST layer that we use. Its own `register` would set the subject's compatibility, and its `getSchema` compiles what it gets. */
interface Calls {
  readonly Schema: { find(request: { id: number }): Promise<Answer> }
  readonly Subject: { register(request: { subject: string; body: { schema: string } }): Promise<Answer> }
}
interface Answer {
  data(): unknown
}

/** Credentials in the URL become basic authentication and leave the URL. */
export function httpRegistry(url: URL): SchemaRegistry {
  const name = `the registry at ${url.origin}`
  const client = new Client({
    host: `${url.origin}${url.pathname.replace(/\/$/, '')}`,
    clientId: 'streamctl',
    retry: { retries: 3, maxRetryTimeInSecs: 2 },
    ...(url.username && {
      auth: { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) },
    }),
    middlewares: [() => ({ prepareRequest: async (next) => (await next()).enhance({ timeout: timeoutMs }) })],
  })
  // biome-ignore lint/complexity/useLiteralKeys: the brackets reach a private property; the version is pinned exactly.
  const calls: Calls = client['api']

  return {
    name,
    async register(subject, schema) {
      try {
        const { id } = (await calls.Subject.register({ subject, body: { schema } })).data() as { id?: unknown }
        return idOf(id, name)
      } catch (thrown) {
        const status = statusOf(thrown)
        if (status === 409 || status === 422) {
          throw new StreamError('INVALID_TOPOLOGY', `${name} refuses the schema for ${subject}: ${messageOf(thrown)}`, {
            cause: thrown,
            hint: 'Make the schema compatible with its earlier versions (new fields need a default), or choose another subject.',
          })
        }
        throw failure(name, thrown)
      }
    },
    async schema(id) {
      let answer: { schema?: unknown; schemaType?: unknown; references?: unknown }
      try {
        answer = (await calls.Schema.find({ id })).data() as typeof answer
      } catch (thrown) {
        if (statusOf(thrown) === 404) return null
        throw failure(name, thrown)
      }
      const { schema, schemaType = 'AVRO', references } = answer ?? {}
      if (schemaType !== 'AVRO') throw unreadable(id, `is of type ${String(schemaType)}, not Avro`)
      if (Array.isArray(references) && references.length > 0)
        throw unreadable(id, 'refers to other subjects, which is not supported')
      if (typeof schema !== 'string') throw unreadable(id, `was answered without a schema by ${name}`)
      return schema
    },
  }
}

function unreadable(id: number, why: string): StreamError {
  return new StreamError('DESERIALIZATION', `the schema with id ${id} ${why}`)
}

function idOf(id: unknown, name: string): number {
  if (Number.isInteger(id) && (id as number) >= 0 && (id as number) <= 0x7fffffff) return id as number
  throw new StreamError('UNREACHABLE', `${name} answered a registration without an id`, {
    hint: 'Is the address that of a schema registry?',
  })
}

function statusOf(thrown: unknown): unknown {
  return typeof thrown === 'object' && thrown !== null && 'status' in thrown ? thrown.status : undefined
}

function failure(name: string, thrown: unknown): StreamError {
  if (thrown instanceof StreamError) return thrown
  const status = statusOf(thrown)
  if (status === 401 || status === 403) {
    return new StreamError('UNAUTHORIZED', `${name} refuses the credentials (${String(status)})`, {
      cause: thrown,
      hint: 'Give them in the URL: https://user:password@host.',
    })
  }
  return new StreamError('UNREACHABLE', `${name} does not serve the request: ${messageOf(thrown)}`, {
    cause: thrown,
    hint: 'Check the address, and that the registry is up.',
  })
}
