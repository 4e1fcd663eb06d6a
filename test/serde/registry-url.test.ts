import { expect, test } from 'vitest'
import { registryAt } from '../../src/serde/registry-url.ts'
import { fakeRegistry } from '../support/registry.ts'

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
