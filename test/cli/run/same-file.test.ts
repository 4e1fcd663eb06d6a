import { existsSync, linkSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { call, folder } from '../process.ts'
import { twice } from './twice.ts'

const caughtUp = ['--until', 'caught-up', '--timeout', '15s']
const input = '{"value":"x"}\n'

test.each(['in.jsonl', './sub/../in.jsonl', 'symbolic.jsonl', 'hard.jsonl'])(
  'a result into the file that is fed, as %s, is refused and empties nothing',
  async (file) => {
    const cwd = folder({ 'topology.ts': twice, 'in.jsonl': input })
    mkdirSync(join(cwd, 'sub'))
    symlinkSync('in.jsonl', join(cwd, 'symbolic.jsonl'))
    linkSync(join(cwd, 'in.jsonl'), join(cwd, 'hard.jsonl'))
    const result = await call(['run', 'topology.ts', '--in', 'lines=in.jsonl', '--out', `a=${file}`, ...caughtUp], {
      cwd,
    })
    expect(result).toEqual({
      exit: 2,
      stdout: '',
      stderr: `streamctl: --out a=${file} would empty the file of --in lines=in.jsonl. Name another file for the results.\n`,
    })
    expect(readFileSync(join(cwd, 'in.jsonl'), 'utf8')).toBe(input)
  },
)

test('a result into the topology itself is refused', async () => {
  const cwd = folder({ 'topology.ts': twice })
  const result = await call(['run', 'topology.ts', '--out', 'a=./topology.ts', ...caughtUp], { cwd })
  expect(result.exit).toBe(2)
  expect(result.stderr).toContain('--out a=./topology.ts would empty the file of the topology topology.ts')
  expect(readFileSync(join(cwd, 'topology.ts'), 'utf8')).toBe(twice)
})

test.each([
  ['x', 'x'],
  ['x', 'sub/../x'],
  ['x', 'linked/x'],
  ['x', 'to-x'],
  ['there', 'to-there'],
])('two results into one file, as %s and %s, are refused, and no file is made', async (a, b) => {
  const cwd = folder({ 'topology.ts': twice, 'in.jsonl': input, there: 'kept' })
  mkdirSync(join(cwd, 'sub'))
  symlinkSync('.', join(cwd, 'linked'))
  symlinkSync('x', join(cwd, 'to-x'))
  symlinkSync('there', join(cwd, 'to-there'))
  const args = ['run', 'topology.ts', '--in', 'lines=in.jsonl', '--out', `a=${a}`, '--out', `b=${b}`, ...caughtUp]
  const result = await call(args, { cwd })
  expect(result.exit).toBe(2)
  expect(result.stderr).toContain(`streamctl: --out a=${a} and --out b=${b} are one file. Give each topic a file`)
  expect(existsSync(join(cwd, 'x'))).toBe(false)
  expect(readFileSync(join(cwd, 'there'), 'utf8')).toBe('kept')
})
