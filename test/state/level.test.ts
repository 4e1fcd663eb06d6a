import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { openLevel } from '../../src/state/level.ts'
import { byteStoreSuite } from '../compliance/byte-store.ts'

const made: string[] = []

async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'streamctl-level-'))
  made.push(path)
  return path
}

afterEach(async () => {
  for (const path of made.splice(0)) await rm(path, { recursive: true, force: true })
})

byteStoreSuite('LevelDB', { open: async () => openLevel(await directory(), { createIfMissing: true }) })

test('rows are there after close and open', async () => {
  const path = await directory()
  const key = Buffer.from('k')
  const before = await openLevel(path, { createIfMissing: true, sync: true, writeBufferBytes: 65536 })
  await before.write([{ key, value: Buffer.from('v') }])
  await before.close()
  const after = await openLevel(path, { createIfMissing: false })
  expect(after.get(key)?.toString()).toBe('v')
  await after.close()
})

test('a second handle is refused as locked, a missing database as unusable, a damaged one as corrupt', async () => {
  const path = await directory()
  const held = await openLevel(path, { createIfMissing: true })
  await expect(openLevel(path, { createIfMissing: false })).rejects.toMatchObject({ code: 'LOCKED' })
  await held.close()
  await writeFile(join(path, 'CURRENT'), '')
  await expect(openLevel(path, { createIfMissing: false })).rejects.toMatchObject({ code: 'CORRUPT' })
  const empty = await directory()
  await expect(openLevel(empty, { createIfMissing: false })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
})

test('a write that fails says which directory', async () => {
  const path = await directory()
  const store = await openLevel(path, { createIfMissing: true })
  await store.close()
  await expect(store.write([{ key: Buffer.from('k'), value: null }])).rejects.toThrow(`${path} cannot be written`)
})
