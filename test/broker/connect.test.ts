import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, inject, test } from 'vitest'
import { connectKafka } from '../../src/broker/kafka/broker.ts'
import { startKafka } from '../../tools/kafka/kafka.ts'

const bootstrap = inject('bootstrap')
const servers: Server[] = []

afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** A port that accepts and does with the connection what the test says. */
async function port(onConnection: Parameters<typeof createServer>[1]): Promise<string> {
  const server = createServer(onConnection)
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe('an address', () => {
  test.each(['', ' , ', 'host', 'host:', 'host:99999', 'host:0', ':9092', 'a:1,b', 'http://a:1', '::1:9092', 'a b:1'])(
    '%j is refused before anything is tried',
    async (address) => {
      await expect(connectKafka({ bootstrap: address })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    },
  )

  test('where nobody listens is named with the reason', async () => {
    await expect(connectKafka({ bootstrap: '127.0.0.1:1' })).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringMatching(/127\.0\.0\.1:1.*ECONNREFUSED/),
    })
  })

  test('whose host does not exist is named', async () => {
    await expect(connectKafka({ bootstrap: 'no-such-host.invalid:9092' })).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringContaining('no-such-host.invalid:9092'),
    })
  })

  test('that accepts and is silent is given up in time', async () => {
    const address = await port((socket) => socket.on('error', () => {}).resume())
    const before = performance.now()
    await expect(connectKafka({ bootstrap: address, connectTimeoutMs: 500 })).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringContaining(address),
    })
    expect(performance.now() - before).toBeLessThan(3_000)
  })

  test('that speaks something else is given up in time', async () => {
    const address = await port((socket) => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    await expect(connectKafka({ bootstrap: address, connectTimeoutMs: 500 })).rejects.toMatchObject({
      code: 'UNREACHABLE',
    })
  })

  test('that fails does not matter when another answers', async () => {
    const broker = await connectKafka({ bootstrap: ['127.0.0.1:1', bootstrap] })
    expect(broker.address).toBe(`127.0.0.1:1,${bootstrap}`)
    expect(await broker.topics(['no-such-topic'])).toEqual(new Map())
    await broker.close()
  })
})

test('nothing is printed and no warning is given', async () => {
  const script = `
    const { connectKafka } = await import(${JSON.stringify(new URL('../../src/broker/kafka/broker.ts', import.meta.url).href)})
    const broker = await connectKafka({ bootstrap: ${JSON.stringify(bootstrap)} })
    const producer = await broker.plainProducer()
    await producer.flush()
    await broker.topics()
    await broker.close()
    await connectKafka({ bootstrap: '127.0.0.1:1' }).catch(() => {})`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script])
  const ended = once(child, 'close')
  child.stdin.end()
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
  expect([out, err]).toEqual(['', ''])
  expect((await ended)[0]).toBe(0)
})

test('credentials: the right ones are taken, wrong and missing ones are refused in words', async () => {
  const login = 'org.apache.kafka.common.security.plain.PlainLoginModule required'
  const kafka = await startKafka({
    heap: '512m',
    config: {
      'listener.security.protocol.map': 'PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT',
      'sasl.enabled.mechanisms': 'PLAIN',
      'sasl.mechanism.inter.broker.protocol': 'PLAIN',
      'inter.broker.listener.name': 'PLAINTEXT',
      'listener.name.plaintext.plain.sasl.jaas.config': `${login} username="admin" password="root" user_admin="root" user_alice="secret";`,
    },
  })
  try {
    const as = (password: string) =>
      connectKafka({ bootstrap: kafka.bootstrap, sasl: { mechanism: 'plain', username: 'alice', password } })
    const broker = await as('secret')
    await broker.createTopics([{ name: 'mine', partitions: 1, configs: {} }])
    const producer = await broker.transactionalProducer({ transactionalId: 'tx' })
    producer.output('mine').append(0, null, Buffer.from('x'), 1, [])
    expect(await producer.commit(null)).toEqual(new Map([['mine-0', 1]]))
    await producer.close()
    await broker.close()
    const refused = await as('wrong-password').catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'UNAUTHORIZED', message: expect.stringContaining(kafka.bootstrap) })
    expect(JSON.stringify([String(refused), refused])).not.toContain('wrong-password')
    const anonymous = await connectKafka({ bootstrap: kafka.bootstrap }).catch((error: unknown) => error)
    expect(anonymous).toMatchObject({ code: 'UNREACHABLE', hint: expect.stringContaining('SASL') })
    const encrypted = await connectKafka({ bootstrap: kafka.bootstrap, ssl: true }).catch((error: unknown) => error)
    expect(['UNREACHABLE', 'UNAUTHORIZED']).toContain((encrypted as { code: string }).code)
  } finally {
    await kafka.stop()
  }
})
