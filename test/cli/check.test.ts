/** `check`, and `run` held to the lock that it keeps. */

import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../docs/blocks.ts'
import { call, folder, jsonLines, wordCount } from './process.ts'

const lockOf = (cwd: string): string => join(cwd, 'streamctl.lock.json')
const otherGroup = wordCount.replaceAll('by-word', 'by-term')
const another = wordCount
  .replace(
    'b.stream(lines)\n',
    "b.stream(lines).mapValues((line) => line.length).toTable('lengths', { value: json<number>() })\n  b.stream(lines)\n",
  )
  .replace('int64, string', 'int64, json, string')

/** Files whose lock is that of word-count. A process loads a file once: the next version is next.ts. */
async function locked(): Promise<string> {
  const cwd = folder({ 'topology.ts': wordCount })
  expect((await call(['check', 'topology.ts', '--write'], { cwd })).exit).toBe(0)
  return cwd
}

test('without a lock a topology is new: fine, but not under --strict; --write makes the lock', async () => {
  const cwd = folder({ 'topology.ts': wordCount })
  expect(await call(['check', 'topology.ts'], { cwd })).toEqual({
    exit: 0,
    stdout: 'word-count: new\n',
    stderr: 'streamctl.lock.json does not know word-count: streamctl check topology.ts --write\n',
  })
  expect((await call(['check', 'topology.ts', '--strict'], { cwd })).exit).toBe(3)
  expect(existsSync(lockOf(cwd))).toBe(false)
  expect(await call(['check', 'topology.ts', '--write'], { cwd })).toEqual({
    exit: 0,
    stdout: 'word-count: new\n',
    stderr: 'streamctl.lock.json written; commit it\n',
  })
  expect(JSON.parse(readFileSync(lockOf(cwd), 'utf8'))).toMatchObject({
    version: 1,
    applications: { 'word-count': { file: 'topology.ts', stores: { 'word-counts': { kind: 'key-value' } } } },
  })
  for (const flags of [[], ['--strict'], ['--write']]) {
    const again = await call(['check', 'topology.ts', ...flags], { cwd })
    expect(again).toEqual({ exit: 0, stdout: 'word-count: same\n', stderr: '' })
  }
})

test('what is safe passes, and not under --strict', async () => {
  const cwd = await locked()
  const before = readFileSync(lockOf(cwd), 'utf8')
  writeFileSync(join(cwd, 'next.ts'), another)
  const { exit, stdout, stderr } = await call(['check', 'next.ts'], { cwd })
  expect([exit, stdout.split('\n')[0], stderr]).toEqual([
    0,
    'word-count: safe',
    'streamctl.lock.json is behind: streamctl check next.ts --write\n',
  ])
  expect(stdout).toContain('  safe: store lengths is new')
  expect((await call(['check', 'next.ts', '--strict'], { cwd })).exit).toBe(3)
  expect(readFileSync(lockOf(cwd), 'utf8')).toBe(before)
})

test('what needs a reset is exit 3, with the way out; --json has each change', async () => {
  const cwd = await locked()
  writeFileSync(join(cwd, 'next.ts'), otherGroup)
  const { exit, stdout, stderr } = await call(['check', 'next.ts'], { cwd })
  expect([exit, stdout]).toEqual([
    3,
    'word-count: needs reset\n' +
      '  needs reset: repartition topic by-word is by-term now: records under way in it would be lost, unless the application caught up before it was stopped\n',
  ])
  expect(stderr).toContain('--app-id')
  expect(stderr).toContain('streamctl check next.ts --write')
  const json = await call(['check', 'next.ts', '--json'], { cwd })
  expect(json.exit).toBe(3)
  expect(jsonLines(json.stdout)).toMatchObject([
    {
      v: 1,
      kind: 'check',
      app: 'word-count',
      data: {
        verdict: 'reset',
        lock: lockOf(cwd),
        written: false,
        changes: [{ severity: 'reset', kind: 'repartition', name: 'by-word' }],
      },
    },
  ])
  expect((await call(['check', 'next.ts', '--write'], { cwd })).exit).toBe(0)
  expect((await call(['check', 'next.ts', '--strict'], { cwd })).exit).toBe(0)
})

test('one file holds the applications of its folder, by id; another id of a file is said to be another application', async () => {
  const cwd = await locked()
  writeFileSync(join(cwd, 'second.ts'), otherGroup.replace("'word-count'", "'term-count'"))
  expect((await call(['check', 'second.ts', '--write'], { cwd })).stderr).toBe(
    'streamctl.lock.json written; commit it\n',
  )
  for (const file of ['topology.ts', 'second.ts']) {
    expect((await call(['check', file, '--strict'], { cwd })).exit).toBe(0)
  }
  const other = await call(['check', 'topology.ts', '--app-id', 'staging'], { cwd })
  expect([other.exit, other.stdout]).toEqual([0, 'staging: new\n'])
  expect(other.stderr).toContain('knows word-count of topology.ts: staging takes over no state of it')
})

test.each([
  ['{', 'does not read'],
  ['{}', 'is no lock'],
  ['null', 'is no lock'],
  ['{"version":1,"applications":{"word-count":{"stores":7}}}', 'is no lock'],
  ['{"version":2,"applications":{}}', 'is of version 2'],
])('a lock that is %s is refused, not taken for none', async (text, what) => {
  const cwd = folder({ 'topology.ts': wordCount, 'streamctl.lock.json': text })
  for (const args of [
    ['check', 'topology.ts', '--write'],
    ['run', 'topology.ts', ...caughtUp],
  ]) {
    const { exit, stderr } = await call(args, { cwd })
    expect([exit, stderr]).toEqual([3, expect.stringContaining(what)])
    expect(stderr).toContain('streamctl.lock.json')
  }
  expect(readFileSync(lockOf(cwd), 'utf8')).toBe(text)
})

const caughtUp = ['--until', 'caught-up', '--timeout', '15s']

test('run writes the lock where state is kept, refuses what needs a reset, and runs it when told to', async () => {
  const cwd = folder({ 'topology.ts': wordCount })
  const run = (file: string, ...more: string[]) => call(['run', file, ...caughtUp, ...more], { cwd })
  await call(['produce', 'lines'], { cwd, stdin: 'a b\n' })
  expect((await run('topology.ts')).stderr).toContain('streamctl.lock.json written; commit it')
  expect((await call(['check', 'topology.ts', '--strict'], { cwd })).exit).toBe(0)
  expect((await run('topology.ts')).stderr).not.toContain('streamctl.lock.json')

  const before = readFileSync(lockOf(cwd), 'utf8')
  writeFileSync(join(cwd, 'next.ts'), otherGroup)
  const refused = await run('next.ts', '--json')
  expect([refused.exit, refused.stdout]).toEqual([3, ''])
  expect(JSON.parse(refused.stderr.split('\n').at(-2) as string)).toMatchObject({
    code: 'TOPOLOGY_CHANGED',
    exit: 3,
    message: expect.stringContaining('repartition topic by-word is by-term now'),
    hint: expect.stringContaining('--accept-topology'),
  })
  expect(readFileSync(lockOf(cwd), 'utf8')).toBe(before)

  const accepted = await run('next.ts', '--accept-topology', '--out', 'word-counts=-')
  expect([accepted.exit, accepted.stdout]).toEqual([0, ''])
  expect(accepted.stderr).toContain('streamctl.lock.json written; commit it')
  expect((await run('next.ts')).exit).toBe(0)
})

test('run takes what is safe into the lock, and says it', async () => {
  const cwd = folder({ 'topology.ts': wordCount })
  const run = (file: string) => call(['run', file, ...caughtUp], { cwd })
  await run('topology.ts')
  writeFileSync(join(cwd, 'next.ts'), another)
  const { exit, stderr } = await run('next.ts')
  expect(exit).toBe(0)
  expect(stderr).toContain('store lengths is new')
  expect(stderr).toContain('streamctl.lock.json written; commit it')
  expect((await call(['check', 'next.ts', '--strict'], { cwd })).exit).toBe(0)
})

test('run writes no lock for an id of the command line, for a broker in memory, or on a build server', async () => {
  const cwd = folder({ 'topology.ts': wordCount, 'in.txt': 'a\n' })
  const run = (more: readonly string[], env = {}) => call(['run', 'topology.ts', ...caughtUp, ...more], { cwd, env })
  const results = [await run(['--app-id', 'mine']), await run(['--in', 'lines=in.txt']), await run([], { CI: 'true' })]
  expect(results.map(({ exit }) => exit)).toEqual([0, 0, 0])
  expect(results[2]?.stderr).toContain(
    'streamctl.lock.json does not know word-count: streamctl check topology.ts --write',
  )
  expect(existsSync(lockOf(cwd))).toBe(false)
})

test('run goes on where the lock cannot be written, and says so', async () => {
  const cwd = folder({ 'topology.ts': wordCount })
  const state = folder()
  chmodSync(cwd, 0o555)
  try {
    const args = ['run', 'topology.ts', '--broker', `embedded:${join(state, 'broker')}`, ...caughtUp]
    const { exit, stderr } = await call(args, { cwd })
    expect(exit).toBe(0)
    // Root may write anywhere.
    expect(stderr).toMatch(process.getuid?.() === 0 ? /written; commit it/ : /cannot be written/)
  } finally {
    chmodSync(cwd, 0o755)
  }
})

test.each(['earthquakes', 'orders-enriched', 'word-count'])('the lock of topologies/ is that of %s', async (name) => {
  const { exit, stdout } = await call(['check', `topologies/${name}.ts`, '--strict'], { cwd: root })
  expect([exit, stdout]).toEqual([0, `${name}: same\n`])
})
