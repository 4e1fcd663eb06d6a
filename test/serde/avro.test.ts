import { SchemaRegistry as ConfluentClient } from '@kafkajs/confluent-schema-registry'
import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { avro } from '../../src/serde/avro.ts'
import type { AvroSchema } from '../../src/serde/avro-type.ts'
import { LocalRegistry, type SchemaRegistry } from '../../src/serde/registry.ts'
import { string } from '../../src/serde/string.ts'
import { windowed } from '../../src/serde/windowed.ts'
import { fakeRegistry } from '../support/registry.ts'

const Order = {
  type: 'record',
  name: 'Order',
  namespace: 'shop',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'amount', type: 'double' },
    { name: 'currency', type: { type: 'enum', name: 'Currency', symbols: ['EUR', 'USD'] } },
    { name: 'note', type: ['null', 'string'], default: null },
    {
      name: 'lines',
      type: {
        type: 'array',
        items: {
          type: 'record',
          name: 'Line',
          fields: [
            { name: 'sku', type: 'string' },
            { name: 'count', type: 'int' },
          ],
        },
      },
    },
    { name: 'labels', type: { type: 'map', values: 'long' } },
    { name: 'hash', type: { type: 'fixed', name: 'Hash', size: 4 } },
    { name: 'refund', type: ['null', 'Currency'] },
  ],
} as const

const order = {
  id: 'o-1',
  at: 1_700_000_000_000n,
  amount: 12.5,
  currency: 'EUR',
  note: null,
  lines: [{ sku: 'a', count: 2 }],
  labels: { x: 9_007_199_254_740_993n },
  hash: Buffer.from([1, 2, 3, 4]),
  refund: 'USD',
} as const

/** fastavro 1.13.1 `schemaless_writer` of the same record. */
const orderHex = '066f2d3180a0abfef962000000000000294000000202610400020278828080808080802000010203040202'

const Node = {
  type: 'record',
  name: 'Node',
  fields: [
    { name: 'v', type: 'int' },
    { name: 'next', type: ['null', 'Node'] },
  ],
} as const

const plain = (value: unknown): unknown => structuredClone(value)
/** A registry of the test's own, with nothing in it. */
const alone = (): LocalRegistry => new LocalRegistry()
const refusal = (message: RegExp | string): unknown =>
  expect.objectContaining({
    code: 'DESERIALIZATION',
    message: typeof message === 'string' ? message : expect.stringMatching(message),
  })

afterEach(() => {
  vi.unstubAllEnvs()
})

describe('values', () => {
  const unframed = avro(Order, { framing: 'none' })

  test('have the bytes another implementation writes', () => {
    const hash = Buffer.from(order.hash)
    expect(unframed.serialize({ ...order, lines: [...order.lines], hash }).toString('hex')).toBe(orderHex)
    expect(plain(unframed.deserialize(Buffer.from(orderHex, 'hex')))).toEqual(plain(order))
  })

  test('bytes in a value are copies', () => {
    const serde = avro({ type: 'record', name: 'B', fields: [{ name: 'b', type: 'bytes' }] }, { framing: 'none' })
    const fetched = Buffer.from('06616263', 'hex')
    const { b } = serde.deserialize(fetched)
    fetched.fill(0)
    expect(b.toString()).toBe('abc')
  })

  test('longs of the whole range, in unions and beside ints too', () => {
    const serde = avro({ type: 'array', items: ['null', 'int', 'long', 'string'] }, { framing: 'none' })
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(fc.constant(null), fc.integer(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.string()),
        ),
        (value) => {
          expect(serde.deserialize(serde.serialize(value))).toEqual(value)
        },
      ),
    )
  })

  test('a value larger than the scratch', () => {
    const serde = avro('string', { framing: 'none' })
    for (const size of [8180, 8190, 8200, 100_000, 3_000_000]) {
      expect(serde.deserialize(serde.serialize('é'.repeat(size)))).toBe('é'.repeat(size))
    }
  })

  test('the field that does not fit is named, and its value is not shown', () => {
    const bad = { ...order, lines: [{ sku: 'a', count: 'secret' }], hash: Buffer.from(order.hash) }
    expect(() => unframed.serialize(bad as never)).toThrow(
      expect.objectContaining({
        code: 'SERIALIZATION',
        message: 'the value is not avro:Order: at lines.0.count string where int is expected',
      }),
    )
    expect(() => unframed.serialize({ ...order, at: 5 } as never)).toThrow(
      /at at number where long \(a bigint\) is expected/,
    )
    expect(() => unframed.serialize({ ...order, currency: 'GBP' } as never)).toThrow(/enum shop\.Currency is expected/)
    expect(() => unframed.serialize({ ...order, at: 2n ** 63n } as never)).toThrow(/at at bigint where long/)
    for (const value of [undefined, null, 1, 'x']) {
      expect(() => unframed.serialize(value as never)).toThrow(expect.objectContaining({ code: 'SERIALIZATION' }))
    }
  })

  test('half a surrogate pair is refused, in short strings, long ones and keys of maps; U+FFFD is not', () => {
    const serde = avro({ type: 'map', values: { type: 'array', items: 'string' } }, { framing: 'none' })
    const text = fc.string({
      unit: fc.constantFrom('a', '\ud83d', '\ude00', '\uded0', 'é', '\ufffd', '\uff21'),
      maxLength: 100,
    })
    fc.assert(
      fc.property(text, text, (key, item) => {
        const value = { [key]: ['a', item] }
        if (key.isWellFormed() && item.isWellFormed()) expect(serde.deserialize(serde.serialize(value))).toEqual(value)
        else {
          expect(() => serde.serialize(value)).toThrow(
            expect.objectContaining({ code: 'SERIALIZATION', message: expect.stringContaining('surrogate') }),
          )
        }
      }),
      { numRuns: 2000 },
    )
  })
})

describe('schemas', () => {
  test.each<[unknown, RegExp]>([
    [{ type: 'record', name: 'a b', fields: [] }, /"a b" is not an Avro name/],
    [{ type: 'record', name: 'X(){}; process.exit(9); //', fields: [] }, /is not an Avro name/],
    [{ type: 'record', name: 'R', fields: [{ name: 'a;b', type: 'int' }] }, /"a;b" is not an Avro name/],
    [{ type: 'record', name: 'R', fields: [{ name: '__proto__', type: 'int' }] }, /"__proto__" is not an Avro name/],
    [{ type: 'record', name: 'R', namespace: 'a.b c', fields: [] }, /"a.b c" is not an Avro name/],
    [{ type: 'record', name: 'R', aliases: ['x\ny'], fields: [] }, /is not an Avro name/],
    [{ type: 'enum', name: 'E', symbols: ['A', 'B-C'] }, /"B-C" is not an Avro name/],
    [{ type: 'fixed', name: 'F', size: -1 }, /size above 0/],
    [{ type: 'record', name: 'R' }, /no fields/],
    [{ type: 'record', name: 'R', fields: [{ name: 'f', type: 'Missing' }] }, /undefined type name: Missing/],
    ['strin', /undefined type name/],
    [null, /null is no schema/],
    [['int', 'double'], /two branches that a plain value cannot tell apart/],
  ])('refuses %j', (schema, message) => {
    expect(() => avro(schema as AvroSchema)).toThrow(
      expect.objectContaining({ code: 'INVALID_TOPOLOGY', message: expect.stringMatching(message) }),
    )
  })

  test('refuses endless nesting', () => {
    let schema: AvroSchema = 'int'
    for (let i = 0; i < 100; i++) schema = { type: 'array', items: schema }
    expect(() => avro(schema)).toThrow(/nested deeper than 64/)
  })

  test('takes a type in a type, and names that are properties of every object', () => {
    expect(
      avro({ type: { type: 'string' } }, { framing: 'none' })
        .serialize('a')
        .toString('hex'),
    ).toBe('0261')
    const odd = avro(
      {
        type: 'record',
        name: 'toString',
        fields: [
          { name: 'constructor', type: 'int' },
          { name: 'default', type: 'long' },
        ],
      },
      { framing: 'none' },
    )
    expect(plain(odd.deserialize(odd.serialize({ constructor: 1, default: 2n })))).toEqual({
      constructor: 1,
      default: 2n,
    })
  })
})

describe('wire format', () => {
  test('is the one of the registry library, both ways', async () => {
    await using registry = await fakeRegistry(300)
    const serde = avro(Order, { registry: registry.url })
    await serde.open?.('orders', 'value')
    expect([...registry.subjects]).toEqual([['orders-value', [300]]])

    const simple = { ...order, at: 5, labels: { x: 7 } }
    const theirs = new ConfluentClient({ host: registry.url })
    const bytes = await theirs.encode(300, simple)
    const value = { ...order, at: 5n, labels: { x: 7n }, lines: [...order.lines], hash: Buffer.from(order.hash) }
    expect(serde.serialize(value)).toEqual(bytes)
    expect(bytes.subarray(0, 5).toString('hex')).toBe('000000012c')

    await serde.prepare?.([bytes])
    expect(plain(serde.deserialize(bytes))).toEqual(plain(value))
    expect(plain(await theirs.decode(serde.serialize(value)))).toEqual(plain(simple))
  })

  test('an older writer is read as ours; its schema is fetched once per batch and kept', async () => {
    await using registry = await fakeRegistry(7)
    const old = avro(
      {
        type: 'record',
        name: 'P',
        fields: [
          { name: 'gone', type: 'string' },
          { name: 'n', type: 'int' },
        ],
      },
      { registry: registry.url },
    )
    const now = avro(
      {
        type: 'record',
        name: 'P',
        fields: [
          { name: 'n', type: 'long' },
          { name: 'tag', type: ['null', 'string'], default: null },
        ],
      },
      { registry: registry.url },
    )
    await old.open?.('p', 'key')
    await now.open?.('p', 'key')
    expect([...registry.subjects]).toEqual([['p-key', [7, 8]]])
    registry.requests.length = 0

    const batch = [
      old.serialize({ gone: 'x', n: 3 }),
      now.serialize({ n: 4n, tag: 'y' }),
      old.serialize({ gone: '', n: -1 }),
    ]
    await now.prepare?.(batch)
    expect(batch.map((bytes) => plain(now.deserialize(bytes)))).toEqual([
      { n: 3n, tag: null },
      { n: 4n, tag: 'y' },
      { n: -1n, tag: null },
    ])
    // Its own id, 8, it knows.
    expect(registry.requests).toEqual(['GET /schemas/ids/7'])
    expect(now.prepare?.(batch)).toBeUndefined()
  })

  test('a writer with a union that we do not have and a record that we skip', async () => {
    const registry = alone()
    const writer = avro(
      {
        type: 'record',
        name: 'P',
        fields: [
          { name: 'skipped', type: { type: 'array', items: { type: 'map', values: 'bytes' } } },
          { name: 'n', type: ['null', 'long'] },
        ],
      },
      { registry },
    )
    const reader = avro(
      { type: 'record', name: 'P', fields: [{ name: 'n', type: ['long', 'null', 'string'] }] },
      { registry },
    )
    const bytes = writer.serialize({ skipped: [{ a: Buffer.from('x') }, {}], n: 5n })
    expect(plain(reader.deserialize(bytes))).toEqual({ n: 5n })
  })

  test('a schema that does not become ours is refused by the record, not by prepare', async () => {
    await using registry = await fakeRegistry()
    registry.schemas.set(1, { schema: '{"type":"record","name":"Order","fields":[]}' })
    registry.schemas.set(2, { schema: 'message X {}', schemaType: 'PROTOBUF' })
    registry.schemas.set(3, { schema: '"Other"', references: [{ name: 'Other', subject: 'o', version: 1 }] })
    registry.schemas.set(4, { schema: '{"type":"record","name":"X;process.exit(1)","fields":[]}' })
    registry.schemas.set(5, { schema: `{"type":"record","name":"X","doc":"${'x'.repeat(1024 * 1024)}","fields":[]}` })
    registry.schemas.set(6, { schema: '{"type":' })
    const serde = avro(Order, { registry: registry.url })
    const record = (id: number): Buffer => Buffer.from([0, 0, 0, 0, id, 0])
    await serde.prepare?.([1, 2, 3, 4, 5, 6, 9].map(record))
    expect(() => serde.deserialize(record(1))).toThrow(refusal(/^schema 1 does not resolve to avro:Order/))
    expect(() => serde.deserialize(record(2))).toThrow(refusal('the schema with id 2 is of type PROTOBUF, not Avro'))
    expect(() => serde.deserialize(record(3))).toThrow(refusal(/refers to other subjects/))
    expect(() => serde.deserialize(record(4))).toThrow(
      refusal(/not an Avro schema: "X;process\.exit\(1\)" is not an Avro name/),
    )
    expect(() => serde.deserialize(record(5))).toThrow(refusal(/over the limit of 1048576/))
    expect(() => serde.deserialize(record(6))).toThrow(refusal('schema 6 is not JSON'))
    expect(() => serde.deserialize(record(9))).toThrow(refusal(`schema id 9 is not in the registry at ${registry.url}`))
    registry.requests.length = 0
    expect(serde.prepare?.([record(9), record(1)])).toBeUndefined()
    expect(registry.requests).toEqual([])
  })

  test('a registry that cannot be reached rejects prepare and open, without the password', async () => {
    const gone = await fakeRegistry()
    await gone[Symbol.asyncDispose]()
    const url = gone.url.replace('http://', 'http://me:hunter2@')
    const serde = avro(Order, { registry: url })
    const problem = expect.objectContaining({
      code: 'UNREACHABLE',
      message: expect.stringContaining(`the registry at ${gone.url} does not serve the request`),
    })
    await expect(serde.prepare?.([Buffer.from([0, 0, 0, 0, 1, 0])])).rejects.toThrow(problem)
    await expect(serde.open?.('orders', 'value')).rejects.toThrow(problem)
    await expect(serde.open?.('orders', 'value')).rejects.not.toThrow(/hunter2/)
  })

  test('credentials of the URL become basic authentication', async () => {
    await using registry = await fakeRegistry()
    registry.authorization = `Basic ${Buffer.from('me:p@ss').toString('base64')}`
    const serde = avro(Order, { registry: registry.url.replace('http://', 'http://me:p%40ss@') })
    await serde.open?.('orders', 'value')
    expect(registry.subjects.has('orders-value')).toBe(true)
    await expect(avro(Order, { registry: registry.url }).open?.('orders', 'value')).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
    })
  })

  test('an incompatible schema is refused at open', async () => {
    await using registry = await fakeRegistry()
    registry.failWith = 409
    await expect(avro(Order, { registry: registry.url }).open?.('orders', 'value')).rejects.toMatchObject({
      code: 'INVALID_TOPOLOGY',
    })
  })

  test('an address that is none is refused at once', () => {
    for (const registry of ['localhost:8081', 'ftp://x', '']) {
      expect(() => avro(Order, { registry })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    }
  })

  test('without a registry the process is its own: ids by content, no open, no prepare', async () => {
    const one = avro(Order)
    const other = avro(Order)
    const value = { ...order, lines: [...order.lines], hash: Buffer.from(order.hash) }
    const bytes = one.serialize(value)
    expect(other.serialize(value)).toEqual(bytes)
    expect(plain(other.deserialize(bytes))).toEqual(plain(value))
    expect(avro('string').serialize('a').subarray(1, 5)).not.toEqual(bytes.subarray(1, 5))
    expect(() => other.deserialize(Buffer.from([0, 0, 0, 0, 1, 0]))).toThrow(
      refusal('schema id 1 is not in the in-process registry'),
    )
  })

  test('STREAMCTL_REGISTRY is read at the first use', async () => {
    await using registry = await fakeRegistry(40)
    const serde = avro(Order)
    vi.stubEnv('STREAMCTL_REGISTRY', registry.url)
    await serde.open?.('orders')
    expect(registry.subjects.get('orders-value')).toEqual([40])
  })

  test('internal topics register nothing where a sink has done so, else the full name', async () => {
    const subjects: string[] = []
    const registry: SchemaRegistry = {
      name: 'a test',
      register: async (subject) => subjects.push(subject),
      schema: async () => null,
    }
    const serde = avro(Order, { registry })
    expect(() => serde.serialize(order as never)).toThrow(expect.objectContaining({ code: 'INTERNAL' }))
    await serde.open?.('a', 'value')
    await serde.open?.('b', 'key')
    await serde.open?.()
    await avro(Order, { registry }).open?.()
    await avro(Order, { registry, subject: 'mine' }).open?.('c', 'value')
    expect(subjects).toEqual(['a-value', 'b-key', 'shop.Order', 'mine'])
  })

  test('what the serde wrote itself is read without a fetch, as a restarted process reads its stores', async () => {
    const asked: number[] = []
    const registry: SchemaRegistry = {
      name: 'a test',
      register: async () => 7,
      schema: async (id) => {
        asked.push(id)
        return null
      },
    }
    const before = avro(Order, { registry })
    await before.open?.()
    const row = before.serialize(order as never)
    const after = avro(Order, { registry })
    await after.open?.()
    expect(after.prepare?.([row])).toBeUndefined()
    expect({ ...after.deserialize(row) }).toMatchObject({ id: 'o-1' })
    expect(() => after.deserialize(Buffer.concat([row, Buffer.from([0])]))).toThrow(/1 byte too many/)
    row.writeInt32BE(8, 1)
    expect(() => after.deserialize(row)).toThrow(
      expect.objectContaining({
        code: 'DESERIALIZATION',
        hint: expect.stringContaining('give the store another name'),
      }),
    )
    expect(asked).toEqual([])
  })

  test('a negative id is unknown, also to a serde that has no id yet', async () => {
    await using fake = await fakeRegistry()
    const serde = avro(Order, { registry: fake.url })
    const bytes = Buffer.concat([Buffer.from([0, 255, 255, 255, 255]), Buffer.from(orderHex, 'hex')])
    await serde.prepare?.([bytes])
    expect(() => serde.deserialize(bytes)).toThrow(
      expect.objectContaining({ code: 'DESERIALIZATION', message: expect.stringMatching(/schema id -1 is not in/) }),
    )
  })

  test('the fingerprint tells two schemas of one name apart, framed or not, in windowed keys too', () => {
    const wider = { ...Order, fields: [...Order.fields, { name: 'more', type: 'string', default: '' }] } as const
    const prints = [avro(Order), avro(wider), avro(Order, { framing: 'none' })].map((serde) => serde.fingerprint)
    expect(prints[0]).toMatch(/^[0-9a-f]{16}$/)
    expect(prints[1]).not.toBe(prints[0])
    expect(prints[2]).toBe(prints[0])
    expect(windowed(avro(Order), '1m').fingerprint).toBe(prints[0])
    expect(windowed(string, '1m')).not.toHaveProperty('fingerprint')
  })

  test('an unknown id is asked for again after a minute, and the cache keeps 1,000', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    try {
      const asked: number[] = []
      const registry: SchemaRegistry = {
        name: 'a test',
        register: async () => 1,
        schema: async (id) => {
          asked.push(id)
          return id === 5 ? null : '"string"'
        },
      }
      const serde = avro('string', { registry })
      const record = (id: number): Buffer => {
        const bytes = Buffer.from([0, 0, 0, 0, 0, 0])
        bytes.writeInt32BE(id, 1)
        return bytes
      }
      await serde.prepare?.([record(5)])
      await serde.prepare?.([record(5)])
      expect(asked).toEqual([5])
      vi.setSystemTime(Date.now() + 60_001)
      await serde.prepare?.([record(5)])
      expect(asked).toEqual([5, 5])
      await serde.prepare?.(Array.from({ length: 1100 }, (_, i) => record(100 + i)))
      expect(serde.deserialize(record(100))).toBe('')
      await serde.prepare?.([record(5000)])
      asked.length = 0
      await serde.prepare?.([record(1199), record(100)])
      expect(asked).toEqual([100])
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('bad bytes', () => {
  const serde = avro(Order)
  const good = serde.serialize({ ...order, lines: [...order.lines], hash: Buffer.from(order.hash) })

  test.each([
    ['', 'an empty value is not avro:Order'],
    ['00', "1 byte cannot hold the 5 of a schema id's header"],
    ['00000001', "4 bytes cannot hold the 5 of a schema id's header"],
    ['010000000100', 'the first byte is 1, not the 0 that a schema id follows'],
  ])('%s: %s', (hex, message) => {
    expect(() => serde.deserialize(Buffer.from(hex, 'hex'))).toThrow(refusal(message))
  })

  test.each<[AvroSchema, string, RegExp]>([
    ['string', '0661', /3 bytes expected, 1 left/],
    ['string', '01', /a length of -1/],
    ['string', '02ff', /not UTF-8/],
    ['string', `40${'61'.repeat(31)}ff`, /not UTF-8/],
    ['string', '026161', /1 byte too many at the end/],
    ['bytes', 'feffffffffffffffff01', /expected, 0 left/],
    ['bytes', 'ff'.repeat(200), /more than 64 bits/],
    ['int', '8080', /end inside a number/],
    ['int', '808080808080808080808001', /more than 64 bits/],
    ['int', '808080808010', /no 32-bit integer/],
    ['long', '80808080808080808080', /more than 64 bits/],
    ['long', '80808080808080808002', /more than 64 bits/],
    ['long', '', /the bytes end before a number/],
    ['boolean', '02', /a boolean is 0 or 1, not 2/],
    ['double', '00000000', /8 bytes expected, 4 left/],
    [['null', 'string'], '04', /branch 2 of a union of 2/],
    [['null', 'string'], '01', /branch -1 of a union of 2/],
    [{ type: 'enum', name: 'E', symbols: ['A'] }, '02', /symbol 1 of an enum of 1/],
    [
      { type: 'array', items: 'int' },
      'feffffffffffffffff01',
      /a block of 9223372036854776000 items, with 0 bytes left/,
    ],
    [{ type: 'array', items: 'int' }, 'ffffffffffffffffff0100', /a block of 9223372036854776000 items/],
    [{ type: 'array', items: 'null' }, '80808080808080808001', /items, with 0 bytes left/],
    [{ type: 'array', items: 'double' }, '04000000000000000000', /a block of 2 items, with 9 bytes left/],
    [{ type: 'array', items: 'int' }, '01040200', /a block of 2 bytes that has 1/],
    [{ type: 'array', items: 'int' }, '01030200', /a block of -2 bytes/],
    [{ type: 'map', values: 'int' }, 'feffffffff0f', /a block of/],
    [{ type: 'map', values: 'int' }, `0212${Buffer.from('__proto__').toString('hex')}0200`, /a map key "__proto__"/],
    [Node, '0002'.repeat(300), /nested deeper than 200/],
    [
      { type: 'record', name: 'R', fields: [{ name: 'l', type: { type: 'array', items: Node } }] },
      '0200020202ff00',
      /^not avro:R at l\.next\.next/,
    ],
  ])('%j of %s: %s', (schema, hex, message) => {
    const unframed = avro(schema, { framing: 'none' })
    expect(() => unframed.deserialize(Buffer.from(hex, 'hex'))).toThrow(refusal(message))
  })

  test('blocks with their length, which other writers use, are read', () => {
    const serde = avro({ type: 'array', items: 'int' }, { framing: 'none' })
    expect(serde.deserialize(Buffer.from('0102020304020400', 'hex'))).toEqual([1, 1, 2])
  })

  test('every cut of a record is refused', () => {
    for (let end = 0; end < good.length; end++) {
      expect(() => serde.deserialize(good.subarray(0, end))).toThrow(
        expect.objectContaining({ code: 'DESERIALIZATION' }),
      )
    }
  })

  const writer = avro({
    type: 'record',
    name: 'Mixed',
    fields: [
      { name: 'skipped', type: { type: 'array', items: ['null', 'bytes', { type: 'map', values: 'string' }] } },
      { name: 'node', type: Node },
      { name: 'list', type: { type: 'array', items: 'long' } },
      { name: 'text', type: ['null', 'string'] },
      { name: 'n', type: 'int' },
      { name: 'empty', type: { type: 'array', items: 'null' } },
    ],
  })
  const reader = avro({
    type: 'record',
    name: 'Mixed',
    fields: [
      { name: 'node', type: Node },
      { name: 'list', type: { type: 'array', items: 'long' } },
      { name: 'text', type: ['null', 'string'] },
      { name: 'n', type: 'double' },
      { name: 'added', type: { type: 'map', values: 'int' }, default: {} },
    ],
  })
  const mixed = writer.serialize({
    skipped: [null, Buffer.from('abc'), { k: 'v' }],
    node: { v: 1, next: { v: 2, next: null } },
    list: [1n, -(2n ** 40n)],
    text: 'text',
    n: 5,
    empty: [null, null],
  })

  test.each([
    ['our own schema', serde, good],
    ['another writer', reader, mixed],
    ['the writer itself', writer, mixed],
  ])('10,000 mutated records of %s: read or refused, within a second each', (_, target, sample) => {
    const mutation = fc.record({
      at: fc.nat({ max: sample.length - 6 }),
      junk: fc.oneof(
        fc.uint8Array({ maxLength: 12 }),
        fc
          .constantFrom('feffffffffffffffff01', '80808080808080808001', 'ffffffff0f', 'ff'.repeat(200), '01')
          .map((hex) => Buffer.from(hex, 'hex')),
      ),
      removed: fc.nat({ max: 12 }),
    })
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 3 }), (mutations) => {
        let bytes = sample
        for (const { at, junk, removed } of mutations) {
          bytes = Buffer.concat([bytes.subarray(0, 5 + at), junk, bytes.subarray(5 + at + removed)])
        }
        const started = performance.now()
        try {
          target.deserialize(bytes)
        } catch (error) {
          expect(error).toMatchObject({ code: 'DESERIALIZATION' })
        }
        expect(performance.now() - started).toBeLessThan(1000)
      }),
      { numRuns: 10_000 },
    )
  })
})
