import { expect, test } from 'vitest'
import { hash64, murmur3 } from '../../src/common/hash.ts'

const of = (text: string, seed: number): number => {
  const bytes = Buffer.from(text)
  return murmur3(bytes, 0, bytes.length, seed)
}

test('the published vectors of MurmurHash3_x86_32', () => {
  expect(of('', 0)).toBe(0)
  expect(of('', 1)).toBe(0x514e28b7)
  expect(of('', 0xffffffff)).toBe(0x81f16f39)
  expect(of('\0\0\0\0', 0)).toBe(0x2362f9de)
  expect(of('aaaa', 0x9747b28c)).toBe(0x5a97808a)
  expect(of('aaa', 0x9747b28c)).toBe(0x283e0130)
  expect(of('aa', 0x9747b28c)).toBe(0x5d211726)
  expect(of('a', 0x9747b28c)).toBe(0x7fa09ea6)
  expect(of('Hello, world!', 0x9747b28c)).toBe(0x24884cba)
  expect(of('ππππππππ', 0x9747b28c)).toBe(0xd58063c1)
})

test('eight characters below 256, of the given range alone', () => {
  const hash = hash64(Buffer.from('xHello, world!x'), 1, 14)
  expect(hash).toBe(hash64(Buffer.from('Hello, world!')))
  expect(Buffer.from(hash, 'latin1').readUInt32BE(0)).toBe(0x24884cba)
  expect([hash.length, Buffer.from(hash, 'latin1').toString('latin1')]).toEqual([8, hash])
})
