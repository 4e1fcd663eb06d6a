/** Where queries are listened for, and what other processes are told of it. */

import { hostname } from 'node:os'
import { InvalidArgumentError } from 'commander'

export interface Address {
  readonly host: string
  /** 0: a free one. */
  readonly port: number
}

/** `8080`, `127.0.0.1:8080`, `[::1]:8080`; a port alone is one of this machine only. */
export function address(text: string): Address {
  const match = /^(?:(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):)?(\d{1,5})$/.exec(text)
  const port = Number(match?.[2])
  if (match === null || port > 65535) {
    throw new InvalidArgumentError('Give a port, or host:port; port 0 takes a free one.')
  }
  return { host: match[1]?.replace(/^\[|\]$/g, '') ?? '127.0.0.1', port }
}

/** As in a URL. */
export function addressText({ host, port }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** By which other machines reach it: what listens on every interface goes by the name of the machine. */
export function advertised({ host, port }: Address): Address {
  return { host: host === '0.0.0.0' || host === '::' ? hostname() : host, port }
}
