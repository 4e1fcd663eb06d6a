import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { type Link, openLink } from '../../src/broker/kafka/link.ts'
import { Writer } from '../../src/broker/kafka/wire.ts'

const servers: Server[] = []
const sockets: Socket[] = []
const links: Link[] = []

afterEach(() => {
  for (const link of links.splice(0)) link.close()
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const server of servers.splice(0)) server.close()
})

/** What Kafka 2.5 speaks of what is asked for. */
const kafka25: Readonly<Record<number, readonly [number, number]>> = {
  0: [0, 8],
  1: [0, 11],
  2: [0, 5],
  9: [0, 7],
  11: [0, 7],
  18: [0, 3],
  28: [0, 3],
}

/** A broker that tells its versions and leaves everything else to `answer`: bytes after the correlation id, or null for silence. */
async function fakeBroker(
  versions: Readonly<Record<number, readonly [number, number]>>,
  answer: (request: Buffer, socket: Socket) => Buffer | null,
): Promise<{ host: string; port: number }> {
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    socket.on('data', (frame) => {
      const apiKey = frame.readInt16BE(4)
      const body =
        apiKey === 18
          ? new Writer()
              .int16(0)
              .array(Object.entries(versions), (w, [key, [min, max]]) => w.int16(Number(key)).int16(min).int16(max))
              .int32(0)
              .finish()
          : answer(frame, socket)
      if (body === null) return
      socket.write(
        new Writer()
          .int32(4 + body.length)
          .int32(frame.readInt32BE(8))
          .raw(body)
          .finish(),
      )
    })
  })
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port }
}

async function open(address: { host: string; port: number }): Promise<Link> {
  const link = await openLink(address, { clientId: 'test', connectTimeoutMs: 2_000, requestTimeoutMs: 300 }, 300)
  links.push(link)
  return link
}

const request = { apiKey: 9, apiVersion: 7, apiName: 'OffsetFetch', body: Buffer.from('body') }

test.each([
  ['Fetch', { ...kafka25, 1: [0, 10] }],
  ['TxnOffsetCommit', { ...kafka25, 28: [0, 2] }],
  ['OffsetFetch', { ...kafka25, 9: [0, 6] }],
  ['JoinGroup', { ...kafka25, 11: [0, 4] }],
  ['Produce', { ...kafka25, 0: [9, 12] }],
] as const)('a broker without the needed version of %s is refused by name', async (api, versions) => {
  const address = await fakeBroker(versions, () => null)
  await expect(open(address)).rejects.toMatchObject({
    code: 'UNSUPPORTED_VERSION',
    message: expect.stringMatching(new RegExp(`127.0.0.1:${address.port}: ${api} version`)),
  })
})

test('a flexible request has its empty tags between header and body, and so has its answer', async () => {
  let header: Buffer | null = null
  const address = await fakeBroker(kafka25, (frame) => {
    header = frame
    return Buffer.concat([Buffer.from([0]), Buffer.from('\0\0\0\0answer')])
  })
  const link = await open(address)
  expect(String(await link.send({ ...request, flexible: true }))).toBe('\0\0\0\0answer')
  // Length, key, version, correlation id, client id.
  const after = 4 + 2 + 2 + 4 + 2 + 'test'.length
  expect((header as unknown as Buffer).subarray(after)).toEqual(Buffer.from('\0body'))
  const plain = await fakeBroker(kafka25, (frame) => frame.subarray(after))
  expect(String(await (await open(plain)).send({ ...request, flexible: false }))).toBe('body')
})

test('a request without an answer has an unknown outcome, and nothing more is sent on its connection', async () => {
  let requests = 0
  const address = await fakeBroker(kafka25, () => {
    requests++
    return null
  })
  const link = await open(address)
  await expect(link.send({ ...request, flexible: true })).rejects.toMatchObject({ code: 'UNKNOWN_OUTCOME' })
  expect(link.isOpen()).toBe(false)
  await expect(link.send({ ...request, flexible: true })).rejects.toMatchObject({ code: 'UNREACHABLE' })
  expect(requests).toBe(1)
})

test('a connection that is cut under a request leaves its outcome unknown; one cut before it was not used', async () => {
  const address = await fakeBroker(kafka25, (_, socket) => {
    socket.end()
    return null
  })
  const link = await open(address)
  await expect(link.send({ ...request, flexible: true })).rejects.toMatchObject({ code: 'UNKNOWN_OUTCOME' })
  await expect(link.send({ ...request, flexible: true })).rejects.toMatchObject({ code: 'UNREACHABLE' })
})
