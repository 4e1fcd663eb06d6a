/** Every kind of node, compiled and run through the test driver. */

import {
  defineTopology,
  int64,
  json,
  otherwise,
  type StreamsBuilder,
  Suppressed,
  sessionWindowed,
  string,
  topic,
  Windows,
  windowed,
} from 'streamctl'
import { createTestDriver, type TestDriver } from 'streamctl/testing'
import { afterEach, expect, test } from 'vitest'

const input = topic('input', { key: string, value: string })
const other = topic('other', { key: string, value: string })
const output = topic('output', { key: string, value: string })
const second = topic('second', { key: string, value: string })
const counted = topic('counted', { key: string, value: int64 })
const people = topic('people', { key: string, value: json<{ readonly name: string }>() })

let driver: TestDriver | undefined
afterEach(async () => {
  await driver?.close()
  driver = undefined
})

async function run(build: (b: StreamsBuilder) => void, partitions = 1): Promise<TestDriver> {
  driver = await createTestDriver(defineTopology('compiled', build), { partitions })
  return driver
}

/** What was written since the last call, as `topic key=value@timestamp`. */
function written(from: TestDriver): string[] {
  return from
    .read()
    .map(({ topic: name, key, value, timestamp }) => `${name} ${String(key)}=${String(value)}@${timestamp}`)
}

test('filter, filterNot, map, mapValues, selectKey, peek: one chain, timestamps kept', async () => {
  const seen: string[] = []
  const d = await run((b) =>
    b
      .stream(input)
      .filter((value) => value !== 'drop')
      .filterNot((value) => value === 'not')
      .map((value, key) => [`${key}1`, `${value}1`])
      .mapValues((value, key) => `${value}/${key}`)
      .selectKey((value, key) => `${key}${value.length}`)
      .peek((value, key) => void seen.push(`${key}=${value}`))
      .to(output),
  )
  await d.send(input, 'k', 'drop', 1)
  await d.send(input, 'k', 'not', 2)
  await d.send(input, 'k', 'v', 3)
  expect(written(d)).toEqual(['output k15=v1/k1@3'])
  expect(seen).toEqual(['k15=v1/k1'])
})

test('flatMap and flatMapValues: any number of records, in order; headers travel', async () => {
  const d = await run((b) => {
    const stream = b.stream(input)
    stream.flatMap((value, key) => [...value].map((letter) => [`${key}${letter}`, letter] as const)).to(output)
    stream.flatMapValues((value) => [...value]).to(second)
  })
  const headers = [{ key: 'h', value: Buffer.from('1') }]
  await d.send(input, 'k', 'ab', 1, headers)
  await d.send(input, 'k', '', 2)
  const records = d.read()
  expect(records.map(({ topic: name, key, value }) => `${name} ${String(key)}=${String(value)}`)).toEqual([
    'output ka=a',
    'output kb=b',
    'second k=a',
    'second k=b',
  ])
  for (const record of records) expect(record.headers).toEqual(headers)
})

test('fan-out: each child gets every record, in the order they were written down', async () => {
  const d = await run((b) => {
    const stream = b.stream(input).mapValues((value) => `${value}!`)
    stream.to(output)
    stream.mapValues((value) => `${value}2`).to(second)
    stream.to(topic('third', { key: string, value: string }))
  })
  await d.send(input, 'k', 'v', 1)
  expect(written(d)).toEqual(['output k=v!@1', 'second k=v!2@1', 'third k=v!@1'])
})

test('merge: the records of both', async () => {
  const d = await run((b) =>
    b
      .stream(input)
      .merge(b.stream(other).mapValues((value) => `other ${value}`))
      .to(output),
  )
  await d.send(input, 'k', '1', 1)
  await d.send(other, 'k', '2', 2)
  expect(written(d)).toEqual(['output k=1@1', 'output k=other 2@2'])
})

test('two branches of one stream merged again: each record takes both ways', async () => {
  const d = await run((b) => {
    const stream = b.stream(input)
    stream
      .mapValues((value) => `${value}1`)
      .merge(stream.mapValues((value) => `${value}2`))
      .to(output)
  })
  await d.send(input, 'k', 'v', 1)
  expect(written(d)).toEqual(['output k=v1@1', 'output k=v2@1'])
})

test('a stream of several topics', async () => {
  const d = await run((b) => b.stream([input, other]).to(output))
  await d.send(other, 'k', 'o', 1)
  await d.send(input, 'k', 'i', 2)
  expect(written(d)).toEqual(['output k=o@1', 'output k=i@2'])
})

test('split with a default: the first branch that holds, the default else', async () => {
  const d = await run((b) => {
    const { long, a, rest } = b
      .stream(input)
      .split({ long: (value) => value.length > 2, a: (value) => value.startsWith('a'), rest: otherwise })
    long.to(output)
    a.to(second)
    rest.to(topic('rest', { key: string, value: string }))
  })
  for (const value of ['aaa', 'a', 'b']) await d.send(input, 'k', value, 1)
  expect(written(d)).toEqual(['output k=aaa@1', 'second k=a@1', 'rest k=b@1'])
})

test('split without a default drops the rest; a branch that nobody reads takes its records all the same', async () => {
  const d = await run((b) => {
    const { a } = b.stream(input).split({ unread: (value) => value === 'ab', a: (value) => value.startsWith('a') })
    a.to(output)
    a.mapValues((value) => `${value}2`).to(second)
  })
  for (const value of ['ab', 'a', 'b']) await d.send(input, 'k', value, 1)
  expect(written(d)).toEqual(['output k=a@1', 'second k=a2@1'])
})

test('foreach ends the stream', async () => {
  const seen: unknown[] = []
  const d = await run((b) => b.stream(input).foreach((value, key) => void seen.push([key, value])))
  await d.send(input, 'k', 'v', 1)
  await d.send(input, null, null, 2)
  expect(seen).toEqual([
    ['k', 'v'],
    [null, null],
  ])
  expect(d.read()).toEqual([])
})

test('repartitions within each other, over several partitions: one key is counted in one place', async () => {
  const d = await run(
    (b) =>
      b
        .stream(input)
        .flatMapValues((value) => value.split(' '))
        .groupBy('by-word', (word) => word, { key: string, value: string })
        .count('words')
        .toStream()
        .map((count, word) => [String(word.length), `${word}=${count}`])
        .repartition('by-length', { key: string, value: string, partitions: 5 })
        .groupByKey()
        .reduce('joined', (all, one) => `${all},${one}`)
        .toStream()
        .to(output),
    3,
  )
  await d.send(input, null, 'a bb a', 1)
  await d.send(input, null, 'c bb', 2)
  expect(written(d).sort()).toEqual([
    'output 1=a=1,a=2,c=1@2',
    'output 1=a=1,a=2@1',
    'output 1=a=1@1',
    'output 2=bb=1,bb=2@2',
    'output 2=bb=1@1',
  ])
})

test('count and reduce drop null keys and null values, aggregate keeps the greatest timestamp', async () => {
  const d = await run((b) => {
    const grouped = b.stream(input).groupByKey()
    grouped.count('counts').toStream().to(counted)
    grouped
      .aggregate('chain', { init: () => '', add: (chain, value) => chain + value, serde: string })
      .toStream()
      .to(output)
  })
  await d.send(input, null, 'v', 1)
  await d.send(input, 'k', null, 2)
  expect(d.read()).toEqual([])
  await d.send(input, 'k', 'b', 9)
  await d.send(input, 'k', 'a', 4)
  expect(written(d)).toEqual(['counted k=1@9', 'output k=b@9', 'counted k=2@9', 'output k=ba@9'])
})

test('an aggregator that gives null deletes the row, and the next value begins anew', async () => {
  const d = await run((b) =>
    b
      .stream(input)
      .groupByKey()
      .reduce('last', (_, value) => (value === 'end' ? (null as never) : value))
      .toStream()
      .to(output),
  )
  for (const value of ['a', 'end', 'end']) await d.send(input, 'k', value, 1)
  // After the deletion the first value is the aggregate, whatever it is.
  expect(written(d)).toEqual(['output k=a@1', 'output k=null@1', 'output k=end@1'])
})

test('a table keeps the last value, passes tombstones on, and drops null keys; joins see it as it is', async () => {
  const d = await run((b) => {
    const names = b.table(people, { store: 'people' })
    names
      .toStream()
      .mapValues((person) => person?.name ?? 'gone')
      .to(second)
    b.stream(input)
      .join(names, (value, person, key) => `${key}:${value} by ${person.name}`)
      .to(output)
  })
  await d.send(input, 'k', 'early', 1)
  await d.send(people, 'k', { name: 'ann' }, 2)
  await d.send(input, 'k', 'first', 3)
  await d.send(people, 'k', { name: 'bea' }, 1)
  await d.send(input, 'k', 'second', 3)
  await d.send(people, 'k', null, 4)
  await d.send(input, 'k', 'late', 5)
  await d.send(people, null, { name: 'nobody' }, 6)
  await d.send(input, 'k', null, 7)
  expect(written(d)).toEqual([
    'second k=ann@2',
    'output k=k:first by ann@3',
    'second k=bea@1',
    'output k=k:second by bea@3',
    'second k=gone@4',
  ])
})

test('a left join passes on what the table does not have, also without a key, and drops null values', async () => {
  const d = await run((b) => {
    const names = b.table(people, { store: 'people', storage: 'memory' })
    b.stream(input)
      .leftJoin(names, (value, person) => `${value} by ${person?.name ?? 'nobody'}`)
      .to(output)
  })
  await d.send(people, 'k', { name: 'ann' }, 1)
  await d.send(input, 'k', 'a', 2)
  await d.send(input, 'x', 'b', 3)
  await d.send(input, null, 'c', 4)
  await d.send(input, 'k', null, 5)
  expect(written(d)).toEqual(['output k=a by ann@2', 'output x=b by nobody@3', 'output null=c by nobody@4'])
})

test('a re-keyed stream is joined behind its repartition topic', async () => {
  const d = await run((b) => {
    const names = b.table(people, { store: 'people' })
    b.stream(input)
      .selectKey((value) => value)
      .join(names, (value, person) => `${value} ${person.name}`, { name: 'named', key: string, value: string })
      .to(output)
  }, 4)
  for (const key of ['a', 'b', 'c', 'd']) await d.send(people, key, { name: key.toUpperCase() }, 1)
  for (const key of ['a', 'b', 'c', 'd']) await d.send(input, 'x', key, 2)
  expect(written(d).sort()).toEqual(['a', 'b', 'c', 'd'].map((key) => `output ${key}=${key} ${key.toUpperCase()}@2`))
})

test('toTable of a stream, joined with that stream: the table is as of the record itself', async () => {
  const d = await run((b) => {
    const stream = b.stream(input)
    stream.join(stream.toTable('latest'), (value, latest) => `${value}+${latest}`).to(output)
  })
  await d.send(input, 'k', 'a', 1)
  await d.send(input, 'k', 'b', 2)
  expect(written(d)).toEqual(['output k=a+a@1', 'output k=b+b@2'])
})

test('sliding windows: each record makes those that end with it and after the one before it; a join of the table is refused', async () => {
  const d = await run((b) =>
    b
      .stream(input)
      .groupByKey()
      .windowedBy(Windows.sliding(10, { grace: 5 }))
      .reduce('near', (all, v) => all + v)
      .filter((all) => all !== 'b')
      .toStream()
      .to(topic('near', { key: windowed(string, 10), value: string })),
  )
  const written = () =>
    d.read().map(({ key, value, timestamp }) => {
      const { start, end } = key as { start: number; end: number }
      return `[${start},${end}]=${String(value)}@${timestamp}`
    })
  await d.send(input, 'k', 'a', 20)
  await d.send(input, 'k', 'b', 30)
  expect(written()).toEqual(['[10,20]=a@20', '[20,30]=ab@30'])
  await d.send(input, 'k', 'c', 25)
  // What began after a held b alone, and is no longer filtered away.
  expect(written()).toEqual(['[21,31]=bc@30', '[20,30]=abc@30', '[15,25]=ac@25'])
  await d.send(input, 'k', 'd', 14)
  expect(written()).toEqual([])
})

test('final results and late records: one of a window when it closes, the others to their topic', async () => {
  const late = topic('late', { key: string, value: string })
  const d = await run((b) =>
    b
      .stream(input)
      .groupByKey()
      .windowedBy(Windows.tumbling(10, { grace: 5 }))
      .count('counts', { emit: 'final', late })
      .toStream()
      .mapValues(String)
      .to(topic('out', { key: windowed(string, 10), value: string })),
  )
  await d.send(input, 'b', '1', 3)
  await d.send(input, 'a', '2', 9)
  await d.send(input, 'a', '3', 14)
  expect(d.read()).toEqual([])
  const trace = { key: 'trace', value: Buffer.from('t') }
  await d.send(input, 'a', '4', 15, [trace])
  await d.send(input, 'a', '5', 8, [trace])
  const tooLate = d.read(late).map(({ key, value, timestamp, headers }) => {
    return [key, value, timestamp, ...headers.map(({ key, value }) => `${key}=${value}`)]
  })
  const ours = ['node=counts', 'window-start=0', 'window-end=10', 'stream-time=15'].map(
    (one) => `streamctl.late.${one}`,
  )
  expect(tooLate).toEqual([['a', '5', 8, 'trace=t', ...ours]])
  expect(d.read().map(({ key, value, timestamp, headers }) => [key, value, timestamp, headers])).toEqual([
    [{ key: 'a', start: 0, end: 10 }, '1', 9, [trace]],
    [{ key: 'b', start: 0, end: 10 }, '1', 3, [trace]],
  ])
})

test('sessions: what a record joins is deleted, then written as one; the driver knows the topic', async () => {
  const d = await run((b) =>
    b
      .stream(input)
      .groupByKey()
      .windowedBy(Windows.session(10, { grace: 5 }))
      .aggregate('visits', {
        init: () => '',
        add: (all, v) => all + v,
        merge: (all, others) => all + others,
        serde: string,
      })
      .toStream()
      .to(topic('sessions', { key: sessionWindowed(string), value: string })),
  )
  const sessionsWritten = () =>
    d.read().map(({ key, value, timestamp, headers }) => {
      const { start, end } = key as { start: number; end: number }
      expect(headers).toEqual([])
      return `[${start},${end}]=${String(value)}@${timestamp}`
    })
  await d.send(input, 'k', 'a', 0, [{ key: 'h', value: Buffer.from('1') }])
  await d.send(input, 'k', 'b', 20)
  expect(sessionsWritten()).toEqual(['[0,0]=a@0', '[20,20]=b@20'])
  // Stream time 20 has closed [0,0]: it could take records until 15.
  await d.send(input, 'k', 'c', 10)
  expect(sessionsWritten()).toEqual(['[20,20]=null@20', '[10,20]=bc@20'])
  await d.send(input, 'k', 'd', 4)
  expect(sessionsWritten()).toEqual(['[10,20]=null@20', '[4,20]=bcd@20'])
  await d.send(input, 'k', 'e', 40)
  await d.send(input, 'k', 'f', 24)
  expect(sessionsWritten()).toEqual(['[40,40]=e@40'])
})

test('hopping windows: each record in all of its windows; late ones dropped once past the grace', async () => {
  const windows = Windows.hopping(10, { advance: 5, grace: 5 })
  const d = await run((b) =>
    b
      .stream(input)
      .groupByKey()
      .windowedBy(windows)
      .count('windowed')
      .toStream()
      .to(topic('windows', { key: windowed(string, 10), value: int64 })),
  )
  const windowsWritten = () =>
    d.read().map(({ key, value, timestamp }) => {
      const { start, end } = key as { start: number; end: number }
      return `[${start},${end})=${String(value)}@${timestamp}`
    })
  await d.send(input, 'k', 'v', 3)
  expect(windowsWritten()).toEqual(['[0,10)=1@3'])
  await d.send(input, 'k', 'v', 12)
  expect(windowsWritten()).toEqual(['[5,15)=1@12', '[10,20)=1@12'])
  // Stream time 12: [0,10) takes records until 15.
  await d.send(input, 'k', 'v', 7)
  expect(windowsWritten()).toEqual(['[0,10)=2@7', '[5,15)=2@12'])
  await d.send(input, 'k', 'v', 15)
  expect(windowsWritten()).toEqual(['[10,20)=2@15', '[15,25)=1@15'])
  // Stream time 15 has closed [0,10), and not [5,15).
  await d.send(input, 'k', 'v', 8)
  expect(windowsWritten()).toEqual(['[5,15)=3@12'])
  // A null key moves no time.
  await d.send(input, null, 'v', 1000)
  await d.send(input, 'k', 'v', 9)
  expect(windowsWritten()).toEqual(['[5,15)=4@12'])
})

test('suppress: a limit in bytes counts what rows take; headers and timestamps are those of the last update', async () => {
  const d = await run((b) =>
    b
      .table(input, { store: 'rows' })
      .suppress('calm', Suppressed.untilTimeLimit(1000, { maxBytes: 80, whenFull: 'emit' }))
      .toStream()
      .to(output),
  )
  await d.send(input, 'a', 'one', 1)
  const headers = [{ key: 'h', value: Buffer.from('1') }]
  await d.send(input, 'a', 'two', 2, headers)
  // A row is the key, two times, counts of headers and values, and the values.
  await d.send(input, 'b', '0123456789', 3)
  expect(d.read()).toMatchObject([{ key: 'a', value: 'two', timestamp: 2, headers }])
  await d.send(input, 'b', 'x'.repeat(100), 4)
  expect(written(d)).toEqual([`output b=${'x'.repeat(100)}@4`])
})

test('a versioned table: joins look up what was valid, older versions pass to streams and change no join of tables', async () => {
  const driver = await run((b) => {
    const names = b.table(other, { store: 'names', history: 100 })
    const texts = b.table(input, { store: 'texts' })
    names
      .filter((name) => name !== 'x')
      .mapValues((name) => `${name}!`)
      .toStream()
      .to(second)
    b.stream(input)
      .leftJoin(names, (value, name) => `${value} of ${name}`)
      .to(output)
    texts
      .join(names, (value, name) => `${value} and ${name}`)
      .toStream()
      .to(output)
  })
  await driver.send(other, 'k', 'new', 50)
  await driver.send(other, 'k', 'old', 20)
  await driver.send(other, 'k', 'x', 30)
  expect(written(driver)).toEqual(['second k=new!@50', 'second k=old!@20', 'second k=null@30'])
  await driver.send(input, 'k', 'v', 25)
  expect(written(driver)).toEqual(['output k=v and new@50', 'output k=v of old@25'])
  await driver.send(other, 'k', 'older', 10)
  expect(written(driver)).toEqual(['second k=older!@10'])
  await driver.send(other, 'k', 'newer', 60)
  expect(written(driver)).toEqual(['second k=newer!@60', 'output k=v and newer@60'])
})

test('cogroup: a join and a count see one table, and an error names the input', async () => {
  const d = await run((b) => {
    const chain = b
      .stream(input)
      .groupByKey()
      .cogroup<string>((before, value) => {
        if (value === 'bad') throw new Error('no')
        return `${before}${value}`
      })
      .cogroup(b.stream(other).groupByKey(), (before, value) => `${before}(${value})`)
      .aggregate('chain', { init: () => '', serde: string })
    chain.toStream().to(output)
    b.stream(other)
      .join(chain, (value, all) => `${value} in ${all}`)
      .to(second)
  }, 2)
  await d.send(input, 'k', 'a', 5)
  await d.send(other, 'k', 'b', 3)
  await d.send(input, 'x', 'c', 4)
  expect(written(d)).toEqual(['output k=a@5', 'output k=a(b)@5', 'second k=b in a(b)@3', 'output x=c@4'])
  await expect(d.send(input, 'k', 'bad', 6)).rejects.toMatchObject({
    code: 'PROCESSING',
    message: 'input.cogroup: no',
    where: { node: 'input.cogroup', line: expect.any(Number) },
  })
})

test('rows of a table and of a join are written with their own serde where reading a record takes more than its bytes', async () => {
  // As a serde that fetches the schema a value was written with, for the records that are read, and not for rows.
  const fetched = new Set<string>()
  const versioned = {
    ...string,
    serialize: (text: string) => Buffer.from(`2${text}`),
    deserialize: (bytes: Buffer) => {
      const version = bytes.toString('latin1', 0, 1)
      if (version !== '2' && !fetched.has(version)) throw new Error(`version ${version} was not fetched`)
      return bytes.toString('utf8', 1)
    },
    prepare: (batch: readonly Buffer[]) => {
      for (const bytes of batch) fetched.add(bytes.toString('latin1', 0, 1))
      return undefined
    },
  }
  const d = await run((b) => {
    const table = b.table(topic('rows', { key: string, value: versioned }), { store: 'rows' })
    const left = b.stream(topic('input', { key: string, value: versioned }))
    const right = b.stream(topic('other', { key: string, value: string }))
    left.join(right, (a, b) => `${a}${b}`, Windows.join(10, { grace: 0 }), { name: 'both' }).to(output)
    right.join(table, (a, row) => `${a}${row}`).to(second)
  })
  await d.sendBytes('rows', Buffer.from('k'), Buffer.from('1row'), 1)
  await d.sendBytes('input', Buffer.from('k'), Buffer.from('1left'), 2)
  fetched.clear()
  await d.crash()
  await d.send(other, 'k', 'right', 3)
  expect(written(d)).toEqual(['output k=leftright@3', 'second k=rightrow@3'])
})
