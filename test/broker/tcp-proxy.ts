/**
 * A proxy before one broker that reads Kafka's framing: a test says what becomes of a request. Addresses in metadata are
 * rewritten to the proxy's own, so that a client never goes around it.
 */

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export const api = {
  produce: 0,
  metadata: 3,
  findCoordinator: 10,
  txnOffsetCommit: 28,
  addOffsets: 25,
  endTxn: 26,
} as const

/**
 * `pass`; `lose-request`: the connection is cut and the broker never sees it; `lose-answer`: the broker answers, then
 * the connection is cut; `swallow-answer`: the answer is dropped and the connection stays open.
 */
export type Fate = 'pass' | 'lose-request' | 'lose-answer' | 'swallow-answer'

export interface FaultProxy {
  readonly bootstrap: string
  /** Decides over every request from here on. */
  decide(fate: (apiKey: number) => Fate): void
  /** Decides over the next request of this kind. */
  next(apiKey: number, fate: Fate): void
  /** How many requests met another fate than `pass`. */
  readonly struck: number
  close(): Promise<void>
}

/** Cuts a stream of bytes into frames: a length and as many bytes. */
function framed(onFrame: (frame: Buffer) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
      const end = 4 + rest.readInt32BE(0)
      onFrame(rest.subarray(0, end))
      rest = rest.subarray(end)
    }
  }
}

/** @param target `host:port` as the broker advertises it; host must be as long as `127.0.0.1`. */
export async function startProxy(target: string): Promise<FaultProxy> {
  const [host = '', targetPort = ''] = target.split(':')
  const sockets = new Set<Socket>()
  let decision: (apiKey: number) => Fate = () => 'pass'
  const planned = new Map<number, Fate>()
  let struck = 0
  const server = createServer((client) => {
    const broker = connect(Number(targetPort), host)
    const fates = new Map<number, { apiKey: number; fate: Fate }>()
    const cut = (): void => {
      client.destroy()
      broker.destroy()
    }
    for (const socket of [client, broker]) {
      sockets.add(socket)
      socket.on('error', cut)
      socket.on('close', () => {
        sockets.delete(socket)
        cut()
      })
    }
    client.on(
      'data',
      framed((frame) => {
        const apiKey = frame.readInt16BE(4)
        const fate = planned.get(apiKey) ?? decision(apiKey)
        planned.delete(apiKey)
        if (fate !== 'pass') struck++
        if (fate === 'lose-request') return cut()
        fates.set(frame.readInt32BE(8), { apiKey, fate })
        broker.write(frame)
      }),
    )
    broker.on(
      'data',
      framed((frame) => {
        const { apiKey, fate } = fates.get(frame.readInt32BE(4)) ?? { apiKey: -1, fate: 'pass' }
        if (fate === 'lose-answer') return cut()
        if (fate === 'swallow-answer') return
        const names = apiKey === api.metadata || apiKey === api.findCoordinator
        client.write(names ? readdressed(frame, host, Number(targetPort), port) : frame)
      }),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    bootstrap: `127.0.0.1:${port}`,
    decide(fate) {
      decision = fate
    },
    next(apiKey, fate) {
      planned.set(apiKey, fate)
    },
    get struck() {
      return struck
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

function readdressed(frame: Buffer, host: string, from: number, to: number): Buffer {
  const before = Buffer.alloc(host.length + 6)
  before.writeInt16BE(host.length, 0)
  before.write(host, 2)
  before.writeInt32BE(from, host.length + 2)
  const result = Buffer.from(frame)
  for (let at = result.indexOf(before); at >= 0; at = result.indexOf(before, at + 1)) {
    result.write('127.0.0.1', at + 2)
    result.writeInt32BE(to, at + host.length + 2)
  }
  return result
}
