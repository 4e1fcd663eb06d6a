import { expect, test } from 'vitest'
import { LocalRegistry } from '../../src/serde/registry.ts'

test('the registry of the process gives a schema the same id in every thread and run', async () => {
  const first = new LocalRegistry()
  const second = new LocalRegistry()
  const id = await first.register('a-value', '"string"')
  await second.register('x', '"int"')
  expect(await second.register('b-value', '"string"')).toBe(id)
  expect(await first.schema(id)).toBe('"string"')
  expect(await first.schema(id + 1)).toBeNull()
  // Pinned: data of the embedded broker outlives the process.
  expect(id).toBe(1776665033)
})
