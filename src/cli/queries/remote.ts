/** Asks another process of the application for what it has of a store: the same address there, of that process alone. */

import { get } from 'node:http'
import { text } from 'node:stream/consumers'
import { type ErrorCode, messageOf } from '../../common/errors.ts'
import type { Answer } from './answer.ts'
import type { Question } from './question.ts'
import { Refusal, refuse } from './refusal.ts'

/** How long another process may take, ms. */
const patienceMs = 30_000

/** @throws Refusal as that process has it; 503 UNREACHABLE when it does not answer, 504 when it takes too long. */
export async function askRemote(server: string, app: string, question: Question): Promise<Answer> {
  const { status, body } = await fetched(`http://${server}${pathOf(question)}`, server)
  const answer = parsed(body)
  if (status === 200 && answer?.app === app) {
    const { partitions, more, count } = answer as unknown as Answer
    const rows = (answer.rows as { order: string; row: unknown }[]).map(({ order, row }) => ({
      order,
      json: JSON.stringify(row),
    }))
    return { partitions, rows, more, count }
  }
  const { error } = (answer ?? {}) as { error?: { code: ErrorCode; message: string; hint: string } }
  if (error === undefined) throw stranger(server, app)
  throw refuse(status, error.code, error.message, { hint: error.hint })
}

function pathOf({ store, verb, params, partition, limit, reverse }: Question): string {
  const query = new URLSearchParams({ local: 'true', ordered: 'true' })
  for (const [name, value] of Object.entries(params)) query.set(name, value)
  if (partition !== undefined) query.set('partition', `${partition}`)
  if (!query.has('limit') && verb !== 'get' && verb !== 'count') query.set('limit', `${limit}`)
  if (reverse) query.set('reverse', 'true')
  return `/stores/${encodeURIComponent(store)}/${verb}?${query}`
}

function fetched(url: string, server: string): Promise<{ readonly status: number; readonly body: string }> {
  const signal = AbortSignal.timeout(patienceMs)
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => reject(signal.aborted ? late(server) : unreachable(server, error))
    get(url, { signal }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), failed)
    }).on('error', failed)
  })
}

function parsed(body: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(body) as Record<string, unknown>
  } catch {
    return undefined
  }
}

/** Whether another look at the group may find who has it now. */
export function mayHaveMoved(thrown: unknown): boolean {
  return thrown instanceof Refusal && (thrown.status === 421 || thrown.status === 503)
}

const reach = 'Give --queries of each process a host:port that the others reach.'

function unreachable(server: string, cause: Error): Error {
  return refuse(503, 'UNREACHABLE', `the process at ${server} has the rows and does not answer: ${messageOf(cause)}`, {
    hint: `It may have ended: ask again. ${reach}`,
    cause,
  })
}

function late(server: string): Error {
  return refuse(504, 'TIMEOUT', `the process at ${server} did not answer within ${patienceMs / 1000} s`, {
    hint: 'Ask for fewer rows, or again.',
  })
}

function stranger(server: string, app: string): Error {
  return refuse(503, 'UNREACHABLE', `what answers at ${server} is no process of ${app}`, { hint: reach })
}
