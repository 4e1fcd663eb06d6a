import { expect, test } from 'vitest'
import type { Header, Headers } from '../../src/common/record.ts'
import type { CloseIdle } from '../../src/operators/idle.ts'
import { waitForGrace } from '../../src/operators/wait-for-grace.ts'
import { headedCodec } from '../../src/state/headed-codec.ts'
import { OverlayJoinBuffer } from '../../src/state/join-buffer.ts'
import { MemoryByteStore } from '../../src/state/memory.ts'
import { json, text } from '../state/codecs.ts'
import { commit } from '../state/commit.ts'

const graceMs = 10
const of = (value: string): readonly Header[] => [{ key: 'trace', value: Buffer.from(value) }]

function open(bytes: MemoryByteStore, empty: boolean) {
  const value = headedCodec(json<number>())
  const buffer = new OverlayJoinBuffer({
    name: 'b',
    key: text,
    value,
    retentionMs: graceMs + 1,
    bytes,
    empty,
    cacheRows: 0,
  })
  const seen: unknown[] = []
  let closeIdle: CloseIdle = () => false
  const onIdle = (close: CloseIdle): void => {
    closeIdle = close
  }
  const run = waitForGrace<string, number>({ buffer, graceMs, onIdle }, (key, value, timestamp, headers: Headers) => {
    seen.push([key, value, timestamp, headers.map((header) => String(header.value)).join()])
  })
  return { buffer, run, seen, closeIdle: () => closeIdle() }
}

test('records go on in the order of their time, key and arrival, when stream time is the grace past them', () => {
  const { run, seen } = open(new MemoryByteStore(), true)
  run('b', 1, 100, of('1'))
  run('a', 2, 100, of('2'))
  run('b', 3, 100, of('3'))
  run('a', 4, 95, of('4'))
  run('a', 5, 109, of('5'))
  expect(seen).toEqual([['a', 4, 95, '4']])
  run('a', 6, 110, of('6'))
  expect(seen.slice(1)).toEqual([
    ['a', 2, 100, '2'],
    ['b', 1, 100, '1'],
    ['b', 3, 100, '3'],
  ])
})

test('what is older than the grace when it comes goes on at once, as does what has no key or value', () => {
  const { run, seen, buffer } = open(new MemoryByteStore(), true)
  run('a', 1, 100, of('1'))
  run('a', 2, 89, of('2'))
  run(null, 3, 900, of('3'))
  run('a', null, 900, of('4'))
  expect(seen).toEqual([
    ['a', 2, 89, '2'],
    [null, 3, 900, '3'],
    ['a', null, 900, '4'],
  ])
  run('a', 5, 90, of('5'))
  expect(seen.at(-1)).toEqual(['a', 5, 90, '5'])
  expect(buffer.streamTime).toBe(100)
})

test('where nothing more comes, what waits goes on in its order, and stream time moves to where the last of it is due', () => {
  const { run, seen, buffer, closeIdle } = open(new MemoryByteStore(), true)
  expect(closeIdle()).toBe(false)
  run('b', 1, 100, of('1'))
  run('a', 2, 100, of('2'))
  run('a', 3, 95, of('3'))
  expect(closeIdle()).toBe(true)
  expect(seen.splice(0)).toEqual([
    ['a', 3, 95, '3'],
    ['a', 2, 100, '2'],
    ['b', 1, 100, '1'],
  ])
  expect(buffer.streamTime).toBe(110)
  expect(closeIdle()).toBe(false)
  expect(buffer.streamTime).toBe(110)
  run('a', 4, 99, of('4'))
  run('a', 5, 100, of('5'))
  run('a', 6, 101, of('6'))
  expect(seen).toEqual([
    ['a', 4, 99, '4'],
    ['a', 5, 100, '5'],
  ])
})

test('what waits is there after a restart, with its headers, and what has gone on is not', async () => {
  const bytes = new MemoryByteStore()
  const first = open(bytes, true)
  first.run('a', 1, 100, of('1'))
  first.run('a', 2, 101, of('2'))
  first.run('a', 3, 110, [])
  expect(first.seen).toHaveLength(1)
  const changelog = await commit(first.buffer, bytes)
  first.run('a', 4, 500, of('4'))
  first.buffer.discard()
  await first.buffer.load()
  expect(first.buffer.streamTime).toBe(110)

  for (const copied of [false, true]) {
    const again = new MemoryByteStore()
    const second = open(copied ? again : bytes, false)
    if (copied) for (const row of changelog) await again.write([second.buffer.restore(row)])
    second.buffer.recoverStreamTime(110)
    await second.buffer.load()
    second.run('a', 5, 120, of('5'))
    expect(second.seen).toEqual([
      ['a', 2, 101, '2'],
      ['a', 3, 110, ''],
    ])
  }
})
