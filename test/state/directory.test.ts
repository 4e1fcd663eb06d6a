import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openStateDirectory } from '../../src/state/directory.ts'

let stateDir: string

beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'streamctl-state-'))
})

afterEach(async () => {
  await rm(stateDir, { recursive: true, force: true })
})

test('is made for this user only, and can be taken again once closed', async () => {
  const directory = await openStateDirectory({ stateDir: join(stateDir, 'deep', 'er'), appId: 'app' })
  expect(directory.path.endsWith(join('deep', 'er', 'app'))).toBe(true)
  expect((await stat(directory.path)).mode & 0o777).toBe(0o700)
  await directory.close()
  await (await openStateDirectory({ stateDir: join(stateDir, 'deep', 'er'), appId: 'app' })).close()
})

test('a second taker is refused, with the name of the holder', async () => {
  const directory = await openStateDirectory({ stateDir, appId: 'app' })
  await expect(openStateDirectory({ stateDir, appId: 'app' })).rejects.toMatchObject({
    code: 'LOCKED',
    message: expect.stringContaining(`process ${process.pid} on host "${hostname()}"`) as string,
  })
  await (await openStateDirectory({ stateDir, appId: 'other' })).close()
  await directory.close()
})

test('held by another process it is refused; once that is killed, it is free', async () => {
  const source = fileURLToPath(new URL('../../src/state/directory.ts', import.meta.url))
  const script = `import { openStateDirectory } from ${JSON.stringify(source)}
    await openStateDirectory({ stateDir: ${JSON.stringify(stateDir)}, appId: 'app' })
    process.stdout.write('held')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    await once(child.stdout, 'data')
    await expect(openStateDirectory({ stateDir, appId: 'app' })).rejects.toMatchObject({
      code: 'LOCKED',
      message: expect.stringContaining(`process ${child.pid}`) as string,
    })
  } finally {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  await (await openStateDirectory({ stateDir, appId: 'app' })).close()
})

test('a lock directory left half made is no obstacle', async () => {
  await mkdir(join(stateDir, 'app', 'lock'), { recursive: true })
  await writeFile(join(stateDir, 'app', 'lock', 'CURRENT'), '')
  await (await openStateDirectory({ stateDir, appId: 'app' })).close()
})

test('names that are no names are refused, and links that lead out', async () => {
  for (const appId of ['', '.', '..', 'a/b', 'a\0', 'a\n', 'x'.repeat(250)]) {
    await expect(openStateDirectory({ stateDir, appId })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  }
  await mkdir(join(stateDir, 'elsewhere'))
  await symlink(join(stateDir, 'elsewhere'), join(stateDir, 'app'))
  await expect(openStateDirectory({ stateDir, appId: 'app' })).rejects.toThrow(/leads out/)
  await writeFile(join(stateDir, 'file'), '')
  await expect(openStateDirectory({ stateDir: join(stateDir, 'file'), appId: 'a' })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
  })
})
