import { expect, test } from 'vitest'
import { type Checkpoint, checkpointKey, checkpointWrite, readCheckpoint } from '../../src/state/checkpoint.ts'
import { storePrefix } from '../../src/state/codec.ts'
import { MemoryByteStore } from '../../src/state/memory.ts'

const checkpoint: Checkpoint = {
  seq: 3,
  offsets: { counts: 12, windows: 0 },
  streamTimes: { windows: -1 },
  topology: 'abc',
}

async function stored(value: Buffer): Promise<ReturnType<typeof readCheckpoint>> {
  const bytes = new MemoryByteStore()
  await bytes.write([{ key: checkpointKey, value }])
  return readCheckpoint(bytes)
}

/** The row with its JSON changed and the checksum made anew. */
async function rewritten(
  change: (fields: Record<string, unknown>) => unknown,
): Promise<ReturnType<typeof readCheckpoint>> {
  const { crc32 } = await import('node:zlib')
  const value = checkpointWrite(checkpoint).value as Buffer
  const fields = JSON.parse(value.subarray(4).toString()) as Record<string, unknown>
  const json = Buffer.from(JSON.stringify(change(fields)))
  const head = Buffer.alloc(4)
  head.writeUInt32BE(crc32(json))
  return stored(Buffer.concat([head, json]))
}

test('a checkpoint comes back as it was written, and none is absent', async () => {
  expect(await stored(checkpointWrite(checkpoint).value as Buffer)).toEqual({ kind: 'present', checkpoint })
  expect(readCheckpoint(new MemoryByteStore())).toEqual({ kind: 'absent' })
})

test('every flipped bit, and every cut, is seen', async () => {
  const whole = checkpointWrite(checkpoint).value as Buffer
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const value = Buffer.from(whole)
    value[bit >> 3] = (value[bit >> 3] as number) ^ (1 << (bit & 7))
    expect((await stored(value)).kind).toBe('damaged')
  }
  for (let length = 0; length < whole.length; length++) {
    expect((await stored(whole.subarray(0, length))).kind).toBe('damaged')
  }
})

test('another version, or fields of other types, are damage with a reason', async () => {
  expect(await rewritten((fields) => fields)).toEqual({ kind: 'present', checkpoint })
  expect(await rewritten((fields) => ({ ...fields, version: 2 }))).toEqual({
    kind: 'damaged',
    reason: 'its version is 2, not 1',
  })
  for (const wrong of [
    { seq: -1 },
    { seq: '3' },
    { offsets: { a: 1.5 } },
    { offsets: { a: -1 } },
    { offsets: [1] },
    { streamTimes: { a: null } },
    { streamTimes: null },
    { topology: 7 },
  ]) {
    expect((await rewritten((fields) => ({ ...fields, ...wrong }))).kind).toBe('damaged')
  }
  expect((await rewritten(() => null)).kind).toBe('damaged')
})

test('its key is below that of every store', () => {
  expect(checkpointKey.compare(storePrefix('-'))).toBe(-1)
})
