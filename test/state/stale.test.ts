import { existsSync, renameSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { StreamError } from '../../src/common/errors.ts'
import { checkpointWrite } from '../../src/state/checkpoint.ts'
import { openStateDirectory } from '../../src/state/directory.ts'
import { openLevel } from '../../src/state/level.ts'
import { markerFile } from '../../src/state/marker.ts'
import { removeLeftovers, removeUnused, usedStates } from '../../src/state/stale.ts'
import { openTaskState, type TaskState } from '../../src/state/task-state.ts'

/** Steps of an opening or a removal that a test can come between. */
type Step = 'read marker' | 'write marker' | 'open kept' | 'open new' | 'opened kept' | 'unlock' | 'rm'
const hooks = vi.hoisted(() => ({ before: async (_step: Step, _path: string): Promise<void> => undefined }))

vi.mock('../../src/state/marker.ts', async (original) => {
  const real = await original<typeof import('../../src/state/marker.ts')>()
  return {
    ...real,
    readMarker: async (directory: string) => {
      await hooks.before('read marker', directory)
      return real.readMarker(directory)
    },
    writeMarker: async (...args: Parameters<typeof real.writeMarker>) => {
      await hooks.before('write marker', args[0])
      return real.writeMarker(...args)
    },
  }
})

vi.mock('../../src/state/level.ts', async (original) => {
  const real = await original<typeof import('../../src/state/level.ts')>()
  return {
    openLevel: async (...args: Parameters<typeof real.openLevel>) => {
      await hooks.before(args[1].createIfMissing ? 'open new' : 'open kept', args[0])
      const level = await real.openLevel(...args)
      if (!args[1].createIfMissing) await hooks.before('opened kept', args[0])
      const unlock = level.close.bind(level)
      level.close = async () => {
        await hooks.before('unlock', args[0])
        return unlock()
      }
      return level
    },
  }
})

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>()
  return {
    ...real,
    rm: async (...args: Parameters<typeof real.rm>) => {
      await hooks.before('rm', String(args[0]))
      return real.rm(...args)
    },
  }
})

const rowKey = Buffer.from('counts\0k')
const checkpoint = { seq: 1, offsets: { counts: 5 }, streamTimes: {}, topology: 't' }
/** Before the epoch's end of all tests: what was used at `long` is unused, what is used now is not. */
const long = 1_000_000
const usedBefore = 2_000_000

let path: string
let dir: string
let warnings: string[]

beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'streamctl-stale-'))
  dir = join(path, '0_0')
  warnings = []
})

afterEach(async () => {
  hooks.before = async () => undefined
  await rm(path, { recursive: true, force: true })
})

function open(bootId = 'boot-1'): Promise<TaskState> {
  return openTaskState({ dir, taskId: '0_0', bootId, warn: (message) => warnings.push(message) })
}

/** Last used long ago. */
function age(directory = dir): Promise<void> {
  return utimes(join(directory, markerFile), long / 1000, long / 1000)
}

async function write(state: TaskState): Promise<void> {
  await state.bytes.write([{ key: rowKey, value: Buffer.from('row') }, checkpointWrite(checkpoint)])
}

/** State of a task with one row, not used for long. */
async function unused(left: 'closed' | 'open' = 'closed'): Promise<void> {
  const state = await open()
  await write(state)
  if (left === 'closed') await state.close()
  else await state.bytes.close()
  await age()
}

const remove = (): Promise<boolean> => removeUnused(path, '0_0', usedBefore)

async function expectWhole(): Promise<void> {
  const state = await open()
  expect(state.checkpoint).toEqual(checkpoint)
  expect(state.bytes.get(rowKey)?.toString()).toBe('row')
  await state.close()
  expect(warnings).toEqual([])
}

test.each(['closed', 'open'] as const)('what nobody has used for long is gone, left %s', async (left) => {
  await unused(left)
  await mkdir(join(path, '0_0.ours'))
  expect(await usedStates(path)).toEqual([{ task: '0_0', usedAt: long }])
  expect(await remove()).toBe(true)
  expect(await readdir(path)).toEqual(['0_0.ours'])
  const state = await open()
  expect(state.checkpoint).toBeNull()
  await state.close()
  expect(warnings).toEqual([])
})

test('its lock is held until it is out of the way', async () => {
  await unused()
  const there: boolean[] = []
  hooks.before = async (step) => {
    if (step === 'unlock') there.push(existsSync(dir))
  }
  expect(await remove()).toBe(true)
  expect(there).toEqual([false])
})

test('what was used at that time or after stays', async () => {
  await unused()
  expect(await removeUnused(path, '0_0', long)).toBe(false)
  await expectWhole()
  expect(await remove()).toBe(false)
  await expectWhole()
})

test('what is open stays, whatever its marker says, and can be written on', async () => {
  await unused()
  const state = await open()
  await age()
  expect(await remove()).toBe(false)
  await write(state)
  await state.close()
  await age()
  expect(await remove()).toBe(true)
})

test('what was opened and closed between the look and the lock stays', async () => {
  await unused()
  hooks.before = async (step) => {
    if (step !== 'opened kept') return
    // Its marker says so: whoever it was has written one.
    await writeFile(join(dir, markerFile), await readFile(join(dir, markerFile)))
  }
  expect(await remove()).toBe(false)
  hooks.before = async () => undefined
  await expectWhole()
})

test('nothing but directories of tasks with a marker is looked at', async () => {
  const directory = await openStateDirectory({ stateDir: path, appId: 'app' })
  await unused()
  await cp(dir, join(directory.path, '3_12'), { recursive: true })
  await age(join(directory.path, '3_12'))
  for (const name of ['0_1.ours', '0_2-copy', 'backup', '0_3-stale.old', 'x0_4'])
    await cp(dir, join(directory.path, name), { recursive: true })
  await symlink(dir, join(directory.path, '0_5'))
  await mkdir(join(directory.path, '0_6', 'db'), { recursive: true })
  await writeFile(join(directory.path, '0_7'), 'a file')
  const before = (await readdir(directory.path)).sort()
  expect(await usedStates(directory.path)).toEqual([{ task: '3_12', usedAt: long }])
  await removeLeftovers(directory.path)
  expect(await removeUnused(directory.path, '3_12', usedBefore)).toBe(true)
  await expect(removeUnused(directory.path, '0_8', usedBefore)).resolves.toBe(false)
  expect((await readdir(directory.path)).sort()).toEqual(before.filter((name) => name !== '3_12'))
  expect(before).toEqual(expect.arrayContaining(['lock', 'holder.json']))
  await directory.close()
})

test.each([
  ['CURRENT', 'is gone', (file: string) => rm(file)],
  ['CURRENT', 'is cut', (file: string) => writeFile(file, '')],
  ['db', 'is gone', (file: string) => rm(file, { recursive: true })],
] as const)('what does not open stays, and is told: %s %s', async (name, _, damage) => {
  await unused()
  await damage(name === 'db' ? join(dir, 'db') : join(dir, 'db', name))
  await expect(remove()).rejects.toBeInstanceOf(StreamError)
  expect(existsSync(join(dir, markerFile))).toBe(true)
  const state = await open()
  expect(warnings).toEqual([expect.stringContaining('was wiped')])
  await state.close()
})

test('what does not open because it is just being wiped is not told', async () => {
  await unused()
  await rm(join(dir, 'db', 'CURRENT'))
  hooks.before = async (step) => {
    if (step === 'open kept') await writeFile(join(dir, markerFile), await readFile(join(dir, markerFile)))
  }
  expect(await remove()).toBe(false)
})

test('what a crash has left of a removal is removed by the next, the marker last; without one it is not ours', async () => {
  await unused()
  const going = `${dir}-stale`
  const foreign = join(path, '7_7-stale')
  await mkdir(foreign)
  await writeFile(join(foreign, 'thesis.txt'), 'three years')
  const steps: string[][] = []
  hooks.before = async (step) => {
    if (step !== 'rm') return
    steps.push(await readdir(going))
    if (steps.length === 1) throw new Error('killed')
  }
  await expect(remove()).rejects.toThrow('killed')
  expect(existsSync(dir)).toBe(false)
  // The task comes back meanwhile.
  const state = await open()
  await state.close()
  await removeLeftovers(path)
  expect(steps.at(-1)).toEqual([markerFile])
  expect((await readdir(path)).sort()).toEqual(['0_0', '7_7-stale'])
  expect(await readdir(foreign)).toEqual(['thesis.txt'])
})

/** Does it once, before a step of an opening. */
function onceBefore(step: Step, does: () => Promise<unknown>): void {
  let isDone = false
  hooks.before = async (at) => {
    if (at !== step || isDone) return
    isDone = true
    await does()
  }
}

test.each([
  ['it has looked at the marker', 'read marker', 'boot-1'],
  ['it opens what is kept', 'open kept', 'boot-1'],
  ['it wipes what cannot be trusted', 'write marker', 'boot-2'],
] as const)(
  'who opens state that is removed before %s is told LOCKED, and has it new then',
  async (_, step, bootId) => {
    await unused('open')
    onceBefore(step, async () => expect(await remove()).toBe(true))
    await expect(open(bootId)).rejects.toMatchObject({ code: 'LOCKED' })
    const state = await open(bootId)
    expect(state.checkpoint).toBeNull()
    await write(state)
    await state.close()
    expect(warnings).toEqual([])
    await expectWhole()
  },
)

test.each([
  ['its rest is deleted', 'rm'],
  ['its database is made', 'open new'],
] as const)('nor is it in the way when it goes before %s', async (_, step) => {
  await unused('open')
  // The removal had looked at the marker before it was written.
  onceBefore(step, async () => renameSync(dir, `${dir}-stale`))
  await open('boot-2').then(
    (state) => state.close(),
    (error: unknown) => expect(error).toMatchObject({ code: 'LOCKED' }),
  )
  const state = await open('boot-2')
  expect(state.checkpoint).toBeNull()
  await state.close()
})

test('nor when it goes before its database is made, and is locked still', async () => {
  await unused('open')
  const lock = await openLevel(join(dir, 'db'), { createIfMissing: false })
  onceBefore('open new', async () => renameSync(dir, `${dir}-stale`))
  await expect(open('boot-2')).rejects.toMatchObject({ code: 'LOCKED' })
  await expect(open('boot-2')).rejects.toMatchObject({ code: 'LOCKED' })
  await lock.close()
  const state = await open('boot-2')
  expect(state.checkpoint).toBeNull()
  await state.close()
})

test.each([
  ['all of it', ''],
  ['a part', 'CURRENT'],
] as const)(
  'what a removal that saw the marker late has put into a new database is not taken for ours: %s',
  async (_, part) => {
    await unused('open')
    const before = join(path, 'before')
    await cp(join(dir, 'db', part), join(before, part), { recursive: true })
    onceBefore('open new', () => cp(before, join(dir, 'db'), { recursive: true }))
    const state = await open('boot-2')
    expect(state.checkpoint).toBeNull()
    expect(state.bytes.get(rowKey)).toBeUndefined()
    await write(state)
    await state.close()
    warnings = []
    await expectWhole()
  },
)

test('who opens state that is looked at is told LOCKED, not that something is wrong with it', async () => {
  await unused('open')
  const errors: unknown[] = []
  onceBefore('opened kept', async () => {
    hooks.before = async () => undefined
    for (const bootId of ['boot-1', 'boot-2']) await open(bootId).catch((error: unknown) => errors.push(error))
  })
  await remove()
  expect(errors).toEqual([expect.objectContaining({ code: 'LOCKED' }), expect.objectContaining({ code: 'LOCKED' })])
  const state = await open()
  expect(state.checkpoint).toBeNull()
  await state.close()
})

test('a directory that cannot be made is not taken for one that was removed', async () => {
  await writeFile(dir, '')
  await expect(open()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
})

/** As `openWhenFree` of the runtime, without its pauses. */
async function openPatiently(bootId: string): Promise<TaskState> {
  for (;;) {
    try {
      return await open(bootId)
    } catch (error) {
      if (!(error instanceof StreamError && error.code === 'LOCKED')) throw error
      await setImmediate()
    }
  }
}

/** As long as it takes to ask the file system a few times. */
async function lookAround(times: number): Promise<void> {
  for (let i = 0; i < times * 10; i++) await stat(path)
}

/** What an opening may be doing when the removal begins, beside it from then on. */
const moments = ['read marker', 'open kept', 'opened kept', 'write marker', 'rm', 'open new'] as const

test.each([
  ['kept', 'boot-1'],
  ['wiped', 'boot-2'],
] as const)('an opener and a removal at once: state is whole or new, and nothing fails: %s', async (kind, bootId) => {
  await unused('open')
  const template = join(path, 'template')
  renameSync(dir, template)
  const ends = { kept: 0, new: 0, removed: 0 }
  for (let round = 0; round < 48; round++) {
    await cp(template, dir, { recursive: true })
    await age()
    // Wholly ahead of the opener at first, then less and less, then behind it, and last wholly.
    const lead = 4 - Math.floor(round / moments.length)
    const opening = Promise.withResolvers<void>()
    const removing = Promise.withResolvers<boolean>()
    hooks.before = async (step) => {
      if (step !== moments[round % moments.length]) return
      hooks.before = async () => undefined
      removing.resolve((lead === -3 ? opening.promise : lookAround(-lead)).then(remove))
      await (lead === 4 ? removing.promise : lookAround(lead))
    }
    const state = await openPatiently(bootId)
    opening.resolve()
    hooks.before = async () => undefined
    removing.resolve(false)
    const removed = await removing.promise
    if (removed) ends.removed++
    if (state.checkpoint === null) {
      expect(removed || kind === 'wiped').toBe(true)
      expect(state.bytes.get(rowKey)).toBeUndefined()
      ends.new++
    } else {
      expect(removed).toBe(false)
      expect(state.bytes.get(rowKey)?.toString()).toBe('row')
      ends.kept++
    }
    // Whoever has it can go on with it.
    await write(state)
    await state.close()
    expect((await stat(join(dir, markerFile))).mtimeMs).toBeGreaterThan(usedBefore)
    expect(await readdir(path)).toEqual(['0_0', 'template'])
    if (kind === 'kept') expect(warnings).toEqual([])
    await rm(dir, { recursive: true })
  }
  // Else it was no race.
  expect(ends.removed).toBeGreaterThan(0)
  expect(ends.removed).toBeLessThan(48)
  if (kind === 'kept') expect(ends).toEqual({ removed: ends.new, new: ends.new, kept: 48 - ends.new })
})
