/**
 * The only file that reaches into kafkajs: one authenticated socket with its request queue, from exactly the version
 * this was written against. Everything it prints is routed away from stdout.
 */

import { createRequire } from 'node:module'
import type { ConnectionOptions } from 'node:tls'
import { StreamError } from '../../common/errors.ts'
import { Writer } from './wire.ts'

const expectedVersion = '2.2.4'

/** What kafkajs takes for SASL. PLAIN and SCRAM send a user and a password, OAUTHBEARER a token. */
export type SaslOptions =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
      readonly username: string
      readonly password: string
    }
  | { readonly mechanism: 'oauthbearer'; readonly oauthBearerProvider: () => Promise<{ value: string }> }

export interface SocketOptions {
  readonly host: string
  readonly port: number
  readonly clientId: string
  readonly ssl?: ConnectionOptions | undefined
  readonly sasl?: SaslOptions | undefined
  /** ms for the socket to open. */
  readonly connectTimeoutMs: number
  /** Least ms before a request counts as unanswered; a request may ask for more. */
  readonly requestTimeoutMs: number
  /** Takes kafkajs' own warnings and errors. */
  readonly log?: ((line: string) => void) | undefined
}

/** A request as kafkajs' connection takes it: `encode` gives what follows the header. */
export interface RawRequest {
  readonly request: {
    readonly apiKey: number
    readonly apiVersion: number
    readonly apiName: string
    encode(): Promise<{ readonly buf: Buffer; readonly buffer: Buffer }>
  }
  readonly response: {
    decode(payload: Buffer): Promise<{ readonly payload: Buffer; readonly clientSideThrottleTime: number }>
    parse(decoded: { readonly payload: Buffer }): Promise<Buffer>
  }
  readonly requestTimeout?: number
}

/** What kafkajs' queue is given: how to write the request, and whom to tell of its answer. */
interface PushedRequest {
  readonly entry: {
    readonly apiKey: number
    readonly apiName: string
    readonly apiVersion: number
    readonly correlationId: number
    resolve(answer: { readonly payload: Buffer }): void
    reject(error: Error): void
  }
  readonly expectResponse: boolean
  readonly requestTimeout: number | undefined
  sendRequest(): void
}

interface RequestQueue {
  readonly pending: readonly unknown[]
  push(request: PushedRequest): void
  maybeThrottle(ms: number): void
  scheduleCheckPendingRequests(): void
  rejectAll(error: Error): void
}

interface Connection {
  readonly requestQueue: RequestQueue
  readonly clientId: string
  readonly socket?: {
    destroy(): void
    cork(): void
    uncork(): void
    write(bytes: Buffer): void
  }
  isConnected(): boolean
  isAuthenticated(): boolean
  nextCorrelationId(): number
  send(request: RawRequest): Promise<Buffer>
  disconnect(): Promise<unknown>
}

/** Api key → the versions the broker speaks. */
export type ApiVersions = Readonly<Record<number, { readonly minVersion: number; readonly maxVersion: number }>>

interface Broker {
  readonly versions: ApiVersions | null
  connect(): Promise<void>
}

interface ConnectionPool {
  readonly pool: readonly Connection[]
}

interface Parts {
  readonly Broker: new (options: { connectionPool: ConnectionPool; logger: unknown }) => Broker
  readonly ConnectionPool: new (options: Readonly<Record<string, unknown>>) => ConnectionPool
  readonly createLogger: (options: { level: number; logCreator: () => (entry: LogEntry) => void }) => unknown
  readonly socketFactory: () => unknown
}

interface LogEntry {
  readonly label: string
  readonly namespace: string
  readonly log: { readonly message: string; readonly broker?: string }
}

let loaded: Parts | null = null

/** @throws StreamError INTERNAL when another version of kafkajs than the pinned one is installed. */
function parts(): Parts {
  if (loaded !== null) return loaded
  const require = createRequire(import.meta.url)
  const { version } = require('kafkajs/package.json') as { version: string }
  if (version !== expectedVersion) {
    throw new StreamError(
      'INTERNAL',
      `streamctl is built on kafkajs ${expectedVersion}, but kafkajs ${version} is installed`,
      {
        hint: `Remove the override, or install the exact version: npm install kafkajs@${expectedVersion}.`,
      },
    )
  }
  loaded = {
    Broker: require('kafkajs/src/broker') as Parts['Broker'],
    ConnectionPool: require('kafkajs/src/network/connectionPool') as Parts['ConnectionPool'],
    createLogger: (require('kafkajs/src/loggers') as Pick<Parts, 'createLogger'>).createLogger,
    socketFactory: require('kafkajs/src/network/socketFactory') as Parts['socketFactory'],
  }
  return loaded
}

/** kafkajs' level for warnings and errors. */
const warnLevel = 2

export interface KafkaSocket {
  readonly versions: ApiVersions
  isConnected(): boolean
  send(request: RawRequest): Promise<Buffer>
  /** Closes at once; whatever waits for an answer is rejected. */
  destroy(): void
}

/**
 * A socket that is being opened: TCP, TLS, versions and SASL. It is used once: after a disconnect a new one is made,
 * because kafkajs would carry half a response over into the next connection.
 */
export function openSocket(options: SocketOptions): { readonly opened: Promise<KafkaSocket>; destroy(): void } {
  const { Broker, ConnectionPool, createLogger, socketFactory } = parts()
  const logger = createLogger({
    level: warnLevel,
    logCreator: () => (entry) => {
      const broker = entry.log.broker === undefined ? '' : ` (${entry.log.broker})`
      options.log?.(`kafkajs ${entry.label} ${entry.namespace}: ${entry.log.message}${broker}`)
    },
  })
  const pool = new ConnectionPool({
    host: options.host,
    port: options.port,
    logger,
    socketFactory: socketFactory(),
    ssl: options.ssl ?? null,
    // kafkajs writes its authenticator into the object it is given.
    sasl: options.sasl === undefined ? null : { ...options.sasl },
    clientId: options.clientId,
    connectionTimeout: options.connectTimeoutMs,
    requestTimeout: options.requestTimeoutMs,
    enforceRequestTimeout: true,
  })
  // A pool holds two connections and opens the second for fetches only; lanes replace that.
  const connection = pool.pool[0] as Connection
  const queue = connection.requestQueue
  const schedule = queue.scheduleCheckPendingRequests
  // Without pending requests kafkajs sets a timer with a negative delay after each response, which Node 24 warns about.
  queue.scheduleCheckPendingRequests = () => {
    if (queue.pending.length > 0) schedule.call(queue)
  }
  const destroy = (): void => {
    queue.rejectAll(new Error('the connection was closed here'))
    connection.socket?.destroy()
    connection.disconnect().catch(() => {})
  }
  const broker = new Broker({ connectionPool: pool, logger })
  const opened = broker.connect().then(
    (): KafkaSocket => ({
      versions: broker.versions ?? {},
      isConnected: () => connection.isConnected(),
      send: (request) => send(connection, request),
      destroy,
    }),
    (error: unknown) => {
      destroy()
      throw error
    },
  )
  return { opened, destroy }
}

/** From here on a copy costs more than the detour around it. */
const largeBytes = 32 * 1024

/** kafkajs copies a body twice before it is written. A large one goes into the same queue as it is. */
async function send(connection: Connection, request: RawRequest): Promise<Buffer> {
  const { buffer: body } = await request.request.encode()
  const { requestQueue, socket } = connection
  if (body.length < largeBytes || socket === undefined || !connection.isConnected() || !connection.isAuthenticated()) {
    return connection.send(request)
  }
  const { apiKey, apiVersion, apiName } = request.request
  const correlationId = connection.nextCorrelationId()
  const head = requestHead(apiKey, apiVersion, correlationId, connection.clientId, body.length)
  const { payload } = await new Promise<{ readonly payload: Buffer }>((resolve, reject) => {
    requestQueue.push({
      entry: { apiKey, apiName, apiVersion, correlationId, resolve, reject },
      expectResponse: true,
      requestTimeout: request.requestTimeout,
      sendRequest: () => {
        socket.cork()
        socket.write(head)
        socket.write(body)
        socket.uncork()
      },
    })
  })
  const decoded = await request.response.decode(payload)
  requestQueue.maybeThrottle(decoded.clientSideThrottleTime)
  return request.response.parse(decoded)
}

/** Length of what follows, then the request header v1. */
function requestHead(
  apiKey: number,
  apiVersion: number,
  correlationId: number,
  clientId: string,
  bodyBytes: number,
): Buffer {
  const header = new Writer().int16(apiKey).int16(apiVersion).int32(correlationId).string(clientId).finish()
  return Buffer.concat([new Writer().int32(header.length + bodyBytes).finish(), header])
}
