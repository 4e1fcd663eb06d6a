import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { call, folder, jsonLines, main } from '../process.ts'
import { twice } from './twice.ts'

const run = ['run', 'topology.ts', '--broker', 'embedded:memory', '--in', 'lines=in.txt']
const caughtUp = ['--until', 'caught-up', '--timeout', '15s']

/** What this process has open; where that cannot be told, nothing. */
function openFiles(): readonly string[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)]
    } catch {
      return []
    }
  })
}

function topicsOf(results: string): readonly unknown[] {
  return jsonLines(results)
    .map(({ topic }) => topic)
    .sort()
}

test('results replace what is in the file', async () => {
  const cwd = folder({ 'topology.ts': twice, 'in.txt': 'x\n', 'a.jsonl': 'of an earlier run\n'.repeat(100) })
  const result = await call([...run, '--out', 'a=a.jsonl', ...caughtUp], { cwd })
  expect(result).toMatchObject({ exit: 0 })
  expect(jsonLines(readFileSync(join(cwd, 'a.jsonl'), 'utf8'))).toMatchObject([{ value: 'x' }])
})

test('a file that cannot be opened leaves the others as they were, and none of them open', async () => {
  const cwd = folder({ 'topology.ts': twice, 'in.txt': 'x\n', 'keep.jsonl': 'kept\n' })
  const keep = join(cwd, 'keep.jsonl')
  const result = await call([...run, '--out', 'a=keep.jsonl', '--out', 'b=nowhere/x', ...caughtUp], { cwd })
  expect(result.exit).toBe(2)
  expect(result.stderr).toContain('nowhere/x: no such file')
  expect(readFileSync(keep, 'utf8')).toBe('kept\n')
  expect(openFiles()).not.toContain(keep)
})

test('stdout takes the results of several topics', async () => {
  const cwd = folder({ 'topology.ts': twice, 'in.txt': 'x\n' })
  const { exit, stdout } = await call([...run, '--out', 'a=-', '--out', 'b=-', ...caughtUp], { cwd })
  expect(exit).toBe(0)
  expect(topicsOf(stdout)).toEqual(['a', 'b'])
})

test.skipIf(process.platform === 'win32')('so do devices and pipes', async () => {
  const cwd = folder({ 'topology.ts': twice, 'in.txt': 'x\n' })
  const both = (file: string): readonly string[] => [...run, '--out', `a=${file}`, '--out', `b=${file}`, ...caughtUp]
  expect(await call(both('/dev/null'), { cwd })).toMatchObject({ exit: 0, stdout: '' })

  const piped = ['-c', '"$@" | cat', 'sh', process.execPath, main, ...both('/dev/stdout')]
  const { stdout } = await promisify(execFile)('sh', piped, { cwd })
  expect(topicsOf(stdout)).toEqual(['a', 'b'])
})
