/** One socket to one broker as the data plane sees it: bodies in, bodies out, and errors that tell "not sent" from "no answer". */

import type { ConnectionOptions } from 'node:tls'
import { messageOf, StreamError } from '../../common/errors.ts'
import { type Address, addressName } from './bootstrap.ts'
import type { NodeConnection, NodeRequest } from './connections.ts'
import { type ApiVersions, type KafkaSocket, openSocket, type SaslOptions } from './kafkajs.ts'

export interface LinkOptions {
  readonly clientId: string
  readonly ssl?: ConnectionOptions | undefined
  readonly sasl?: SaslOptions | undefined
  /** ms to open a socket, TLS and SASL included. */
  readonly connectTimeoutMs: number
  /** ms to wait for a response. */
  readonly requestTimeoutMs: number
  readonly log?: ((line: string) => void) | undefined
}

export interface Link extends NodeConnection {
  isOpen(): boolean
  close(): void
}

const produceKey = 0
const emptyTags = Buffer.from([0])
/** What kafkajs gives its own hand-shake requests, and the least any request can ask for. */
const leastRequestTimeoutMs = 3_000

/** Api key, name, the version the data plane sends. All of them exist since Kafka 2.5. */
const required: readonly (readonly [number, string, number])[] = [
  [0, 'Produce', 8],
  [1, 'Fetch', 11],
  [2, 'ListOffsets', 3],
  [9, 'OffsetFetch', 7],
  [11, 'JoinGroup', 5],
  [28, 'TxnOffsetCommit', 3],
]

/**
 * Opens a socket and checks what the broker speaks.
 * @throws StreamError UNREACHABLE, UNAUTHORIZED, UNSUPPORTED_VERSION, naming the address.
 */
export async function openLink(address: Address, options: LinkOptions, timeoutMs: number): Promise<Link> {
  const name = addressName(address)
  const { opened, destroy } = openSocket({
    ...address,
    clientId: options.clientId,
    ssl: options.ssl,
    sasl: options.sasl,
    connectTimeoutMs: timeoutMs,
    requestTimeoutMs: Math.min(options.requestTimeoutMs, timeoutMs, leastRequestTimeoutMs),
    log: options.log,
  })
  // A port that accepts and never speaks Kafka would keep the hand-shake waiting.
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
  })
  let socket: KafkaSocket
  try {
    socket = await Promise.race([opened, late])
  } catch (error) {
    destroy()
    opened.catch(() => {})
    throw connectFailure(name, error, options)
  } finally {
    clearTimeout(timer)
  }
  try {
    checkVersions(name, socket.versions)
  } catch (error) {
    socket.destroy()
    throw error
  }
  return link(name, socket, options)
}

function link(name: string, socket: KafkaSocket, options: LinkOptions): Link {
  return {
    isOpen: () => socket.isConnected(),
    close: () => socket.destroy(),
    async send(request) {
      if (!socket.isConnected()) throw new StreamError('UNREACHABLE', `the connection to broker ${name} is closed`)
      const body = request.flexible ? Buffer.concat([emptyTags, request.body]) : request.body
      try {
        return await socket.send({
          request: {
            apiKey: request.apiKey,
            apiVersion: request.apiVersion,
            apiName: request.apiName,
            encode: async () => ({ buf: body, buffer: body }),
          },
          response: {
            decode: async (raw) => {
              const payload = request.flexible ? raw.subarray(1) : raw
              return { payload, clientSideThrottleTime: throttleMs(request, payload) }
            },
            parse: async (decoded) => decoded.payload,
          },
          requestTimeout: request.timeoutMs ?? options.requestTimeoutMs,
        })
      } catch (error) {
        throw sendFailure(name, request, error, socket)
      }
    },
  }
}

/** Where each response the data plane asks for carries its throttle time: first, but last in Produce. */
function throttleMs(request: NodeRequest, payload: Buffer): number {
  if (payload.length < 4) return 0
  return payload.readInt32BE(request.apiKey === produceKey ? payload.length - 4 : 0)
}

interface KafkaJsError {
  readonly name: string
  readonly message: string
  readonly type?: string
  readonly code?: string | number
}

function sendFailure(name: string, request: NodeRequest, thrown: unknown, socket: KafkaSocket): StreamError {
  const error = thrown as KafkaJsError
  if (isAuthentication(error)) return connectFailure(name, thrown, null)
  if (error.name === 'KafkaJSConnectionError' && error.message === 'Not connected') {
    return new StreamError('UNREACHABLE', `the connection to broker ${name} is closed`)
  }
  // Answers come in order, so what waits behind an unanswered request would wait in vain.
  socket.destroy()
  return new StreamError('UNKNOWN_OUTCOME', `broker ${name} did not answer ${request.apiName}: ${messageOf(thrown)}`, {
    cause: thrown,
  })
}

function isAuthentication(error: KafkaJsError): boolean {
  return (
    error.name === 'KafkaJSSASLAuthenticationError' ||
    error.type === 'SASL_AUTHENTICATION_FAILED' ||
    error.type === 'UNSUPPORTED_SASL_MECHANISM' ||
    error.type === 'ILLEGAL_SASL_STATE'
  )
}

/** OpenSSL and Node codes that mean the certificate, not the network. */
const certificateCodes = /^(CERT_|ERR_TLS_CERT|ERR_SSL_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|EPROTO)/

function connectFailure(name: string, thrown: unknown, options: LinkOptions | null): StreamError {
  const error = thrown as KafkaJsError
  const message = messageOf(thrown)
  if (isAuthentication(error)) {
    return new StreamError('UNAUTHORIZED', `broker ${name} refused the credentials: ${message}`, {
      cause: thrown,
      hint: 'Check the SASL mechanism, user and password.',
    })
  }
  if (typeof error.code === 'string' && certificateCodes.test(error.code)) {
    return new StreamError('UNAUTHORIZED', `no TLS with broker ${name}: ${message}`, {
      cause: thrown,
      hint: 'Check that the port speaks TLS, that the certificate names this host, and that its issuer is trusted (ca).',
    })
  }
  const closed = error.name === 'KafkaJSConnectionClosedError'
  return new StreamError('UNREACHABLE', `no Kafka broker answers at ${name}: ${message}`, {
    cause: thrown,
    hint:
      closed && options !== null
        ? `The other side closed the connection: does the listener expect ${options.ssl === undefined ? 'TLS' : 'no TLS'}, or SASL?`
        : 'Check the address, that the broker runs, and that no firewall stands between.',
  })
}

function checkVersions(name: string, versions: ApiVersions): void {
  for (const [key, api, version] of required) {
    const known = versions[key]
    if (known === undefined || known.maxVersion < version || known.minVersion > version) {
      const has = known === undefined ? 'does not know it' : `speaks ${known.minVersion} to ${known.maxVersion}`
      throw new StreamError('UNSUPPORTED_VERSION', `broker ${name}: ${api} version ${version} is needed, it ${has}`, {
        hint: 'streamctl needs Apache Kafka 2.5 or newer.',
      })
    }
  }
}
