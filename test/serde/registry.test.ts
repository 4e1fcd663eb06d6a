import { expect, test } from 'vitest'
import { LocalRegistry, registryAt } from '../../src/serde/registry.ts'
import { fakeRegistry } from '../support/registry.ts'

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

test('one client per URL', () => {
  expect(registryAt('http://127.0.0.1:1')).toBe(registryAt('http://127.0.0.1:1'))
  expect(registryAt('http://127.0.0.1:1')).not.toBe(registryAt('http://127.0.0.1:2'))
})

test('a registry behind a path, and its name without credentials', async () => {
  await using registry = await fakeRegistry()
  const client = registryAt(`${registry.url.replace('http://', 'http://u:secret@')}/prefix/`)
  expect(client.name).toBe(`the registry at ${registry.url}`)
  await expect(client.schema(3)).resolves.toBeNull()
  expect(registry.requests).toEqual(['GET /prefix/schemas/ids/3'])
})

test('an answer that is no registration is refused', async () => {
  await using registry = await fakeRegistry(-5)
  await expect(registryAt(registry.url).register('s', '"string"')).rejects.toMatchObject({ code: 'UNREACHABLE' })
})

test('registering sends one request and leaves the compatibility of the subject alone', async () => {
  await using registry = await fakeRegistry()
  const client = registryAt(registry.url)
  expect(await client.register('s/t', '"string"')).toBe(1)
  expect(await client.schema(1)).toBe('"string"')
  expect(registry.requests).toEqual(['POST /subjects/s/t/versions', 'GET /schemas/ids/1'])
})
