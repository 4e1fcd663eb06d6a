import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { checkpointKey, checkpointWrite } from '../../src/state/checkpoint.ts'
import { openLevel } from '../../src/state/level.ts'
import { markerFile } from '../../src/state/marker.ts'
import { openTaskState, type TaskState, type TaskStateOptions } from '../../src/state/task-state.ts'

const checkpoint = { seq: 1, offsets: { counts: 5 }, streamTimes: {}, topology: 't' }
const rowKey = Buffer.from('counts\0k')

let dir: string
let warnings: string[]

beforeEach(async () => {
  dir = join(await mkdtemp(join(tmpdir(), 'streamctl-task-')), '0_0')
  warnings = []
})

afterEach(async () => {
  await rm(join(dir, '..'), { recursive: true, force: true })
})

function open(more: Partial<TaskStateOptions> = {}): Promise<TaskState> {
  return openTaskState({ dir, taskId: '0_0', bootId: 'boot-1', warn: (message) => warnings.push(message), ...more })
}

/** A task that has committed once, and how it was left. */
async function committed(left: 'closed' | 'open' = 'closed'): Promise<void> {
  const state = await open()
  await state.bytes.write([{ key: rowKey, value: Buffer.from('row') }, checkpointWrite(checkpoint)])
  if (left === 'closed') await state.close()
  // As a killed process leaves it: the database is free, the marker says open.
  else await state.bytes.close()
}

async function expectKept(): Promise<void> {
  const state = await open()
  expect(state.checkpoint).toEqual(checkpoint)
  expect(state.bytes.get(rowKey)?.toString()).toBe('row')
  expect(warnings).toEqual([])
  await state.close()
}

async function expectWiped(reason: RegExp, more: Partial<TaskStateOptions> = {}): Promise<void> {
  const state = await open(more)
  expect(state.checkpoint).toBeNull()
  expect(state.bytes.get(rowKey)).toBeUndefined()
  expect(warnings).toHaveLength(1)
  expect(warnings[0]).toMatch(reason)
  expect(warnings[0]).toContain('task 0_0')
  await state.bytes.write([{ key: rowKey, value: Buffer.from('row') }, checkpointWrite(checkpoint)])
  await state.close()
  warnings = []
  // What is made anew is whole.
  const again = await open(more)
  await again.close()
}

const database = (): string => join(dir, 'db')

async function nameOf(pattern: RegExp): Promise<string> {
  const found = (await readdir(database())).find((name) => pattern.test(name))
  if (found === undefined) throw new Error(`no file ${String(pattern)}`)
  return join(database(), found)
}

test('a new task is empty and warns of nothing; its directory is for this user only', async () => {
  const state = await open()
  expect(state).toMatchObject({ checkpoint: null })
  expect((await stat(dir)).mode & 0o777).toBe(0o700)
  await state.close()
  const again = await open()
  expect(again).toMatchObject({ checkpoint: null })
  await again.close()
  expect(warnings).toEqual([])
})

test('a committed task is kept, closed or killed', async () => {
  await committed('closed')
  await expectKept()
  await rm(dir, { recursive: true })
  await committed('open')
  await expectKept()
})

test('in memory nothing is kept', async () => {
  const state = await open({ dir: null })
  await state.bytes.write([checkpointWrite(checkpoint)])
  await state.close()
  expect(await open({ dir: null })).toMatchObject({ checkpoint: null })
})

test('a task that is open elsewhere is locked, and is not wiped', async () => {
  await committed()
  const held = await open()
  await expect(open()).rejects.toMatchObject({ code: 'LOCKED' })
  await held.close()
  await expectKept()
})

test('the database is locked until nothing is written any more: whoever waits for it writes then', async () => {
  const { bytes, close } = await open()
  const unlock = bytes.close.bind(bytes)
  let atUnlock: unknown
  bytes.close = () => {
    atUnlock = [JSON.parse(readFileSync(join(dir, markerFile), 'utf8')), readdirSync(dir)]
    return unlock()
  }
  await close()
  expect(atUnlock).toEqual([{ state: 'closed', task: '0_0', bootId: 'boot-1' }, ['db', markerFile]])
})

test('a database is unlocked also when its directory takes no more writes', async () => {
  const state = await open()
  await mkdir(join(dir, `${markerFile}.new`))
  await expect(state.close()).rejects.toThrow('EISDIR')
  const database = await openLevel(join(dir, 'db'), { createIfMissing: false })
  await database.close()
})

test('damage is wiped: CURRENT gone, empty; manifest gone, cut; table file gone', async () => {
  await committed()
  await rm(join(database(), 'CURRENT'))
  await expectWiped(/no CURRENT file/)
  await writeFile(join(database(), 'CURRENT'), '')
  await expectWiped(/CURRENT file is damaged/)
  await rm(await nameOf(/^MANIFEST/))
  await expectWiped(/manifest/)
  await writeFile(await nameOf(/^MANIFEST/), 'garbage garbage garbage')
  await expectWiped(/is damaged/)
  const file = await nameOf(/\.ldb$/)
  await rm(file)
  await expectWiped(/is damaged/)
})

test('a database that is gone as a whole is damage too', async () => {
  await committed()
  await rm(database(), { recursive: true })
  await expectWiped(/no CURRENT file/)
})

test('without the first row ever written nothing is trusted', async () => {
  await committed()
  const bytes = await openLevel(database(), { createIfMissing: false })
  await bytes.write([{ key: Buffer.from('\0created'), value: null }])
  await bytes.close()
  await expectWiped(/first row/)
})

test('a log cut to nothing loses the first row and is seen', async () => {
  await committed('open')
  await truncate(await nameOf(/\.log$/), 0)
  await expectWiped(/first row/)
})

test('a checkpoint that does not read, or is gone under rows, is damage', async () => {
  await committed()
  const bytes = await openLevel(database(), { createIfMissing: false })
  await bytes.write([{ key: checkpointKey, value: Buffer.from('nonsense') }])
  await bytes.close()
  await expectWiped(/checkpoint does not read/)
  const again = await openLevel(database(), { createIfMissing: false })
  await again.write([{ key: checkpointKey, value: null }])
  await again.close()
  await expectWiped(/rows without a checkpoint/)
})

test('a reboot while open is not trusted, unless closed, synced, or unknown', async () => {
  const kept = async (more: Partial<TaskStateOptions>): Promise<void> => {
    const state = await open(more)
    expect(state).toMatchObject({ checkpoint })
    await state.bytes.close()
  }
  await committed('closed')
  await kept({ bootId: 'boot-2' })
  await kept({ bootId: 'boot-2' })
  await kept({ bootId: 'boot-3', sync: true })
  await kept({ bootId: null })
  await rm(dir, { recursive: true })
  await committed('open')
  await expectWiped(/machine was restarted/, { bootId: 'boot-2' })
})

test('a making that was cut short starts over without a word', async () => {
  await committed()
  const marker = JSON.parse(await readFile(join(dir, markerFile), 'utf8')) as object
  await writeFile(join(dir, markerFile), JSON.stringify({ ...marker, state: 'creating' }))
  const state = await open()
  expect(state).toMatchObject({ checkpoint: null })
  expect(state.bytes.get(rowKey)).toBeUndefined()
  await state.close()
  expect(warnings).toEqual([])
})

test('a marker that does not read, or of another task, is damage', async () => {
  await committed()
  await writeFile(join(dir, markerFile), '{"state":"ope')
  await expectWiped(/does not read/)
  await writeFile(join(dir, markerFile), JSON.stringify({ state: 'closed', task: '7_7', bootId: null }))
  await expectWiped(/belongs to task 7_7/)
})

test('a directory of something else is refused and left alone', async () => {
  await committed()
  await rm(join(dir, markerFile))
  await writeFile(join(dir, 'thesis.txt'), 'three years')
  await expect(open()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  expect(await readFile(join(dir, 'thesis.txt'), 'utf8')).toBe('three years')
  expect(await readdir(dir)).toContain('db')
})

test('a path that is no directory is said in words', async () => {
  const file = join(dir, '..', 'file')
  await writeFile(file, '')
  await expect(open({ dir: file })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: /state of task 0_0/ })
})
