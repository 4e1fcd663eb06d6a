/** Bootstrap servers as people write them: `host:port,host:port`; anything else is refused before a socket is opened. */

import { StreamError } from '../../common/errors.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

const hint = 'Give host:port, several separated by commas: localhost:9092. IPv6 in brackets: [::1]:9092.'

/** @throws StreamError INVALID_ARGUMENT for an empty list, a missing or impossible port, or a host with odd characters. */
export function parseBootstrap(servers: string): readonly Address[] {
  const entries = servers
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
  if (entries.length === 0) throw new StreamError('INVALID_ARGUMENT', 'no broker address was given', { hint })
  return entries.map(parseAddress)
}

function parseAddress(entry: string): Address {
  const match = /^(?:\[([0-9a-fA-F:.%\w]+)\]|([^\s:/@[\]]+)):(\d{1,10})$/.exec(entry)
  if (match === null) throw new StreamError('INVALID_ARGUMENT', `broker address '${entry}' is not host:port`, { hint })
  const port = Number(match[3])
  if (port < 1 || port > 65_535) {
    throw new StreamError('INVALID_ARGUMENT', `broker address '${entry}' has a port outside 1..65535`, { hint })
  }
  return { host: (match[1] ?? match[2]) as string, port }
}

export function addressName(address: Address): string {
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}
