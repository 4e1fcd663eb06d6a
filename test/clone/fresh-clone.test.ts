/**
 * A fresh clone of the last commit with an empty npm cache, once on Node 20 and once on Node 24: what the README has its
 * reader type works to the letter, with the real npm, npx and build.
 */

import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Block, blocks, outputOf, root, theBlock } from '../docs/blocks.ts'
import { expectedTable } from '../docs/expected-table.ts'
import type { Shown } from '../docs/shell.ts'

/** The machine's path, without what `npm run` put before it. */
const systemPath = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((dir) => !/node_modules|node-gyp-bin/.test(dir))
  .join(delimiter)

/** What is a person's own; of npm's and Node's settings only those that say where packages come from and whom to trust. */
function environment(path: string, cache: string): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    ([name]) =>
      /^(npm_config_(registry|userconfig|globalconfig|cafile)|NODE_EXTRA_CA_CERTS)$/i.test(name) ||
      !/^(npm_|NODE|VITEST|STREAMCTL_|INIT_CWD$|TEST$|DEV$|PROD$|MODE$|BASE_URL$|FORCE_|COLOR)/i.test(name),
  )
  return { ...(Object.fromEntries(kept) as Record<string, string>), PATH: path, npm_config_cache: cache }
}

const nodes = [
  { name: 'Node 20, the system’s', major: 20, path: systemPath },
  { name: 'Node 24', major: 24, path: `${dirname(process.execPath)}${delimiter}${systemPath}` },
]

describe.each(nodes)('$name', ({ major, path }) => {
  let temp: string
  let clone: string
  let all: readonly Block[]

  function type(script: string): Promise<Shown> {
    const child = spawn('sh', ['-euc', script], {
      cwd: clone,
      env: environment(path, join(temp, 'cache')),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const said = { stdout: '', stderr: '' }
    child.stdout.on('data', (chunk: Buffer) => {
      said.stdout += chunk
    })
    child.stderr.on('data', (chunk: Buffer) => {
      said.stderr += chunk
    })
    return new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => resolve({ exit: code ?? (signal as NodeJS.Signals), ...said }))
    })
  }

  beforeAll(() => {
    temp = mkdtempSync(join(tmpdir(), 'streamctl-clone-'))
    clone = join(temp, 'streamctl')
    execFileSync('git', ['clone', '--quiet', root, clone], { stdio: ['ignore', 'ignore', 'inherit'] })
    all = blocks(readFileSync(join(clone, 'README.md'), 'utf8'))
    for (const { role, name, text } of all) if (role === 'file') writeFileSync(join(clone, name), text)
  })

  afterAll(() => rmSync(temp, { recursive: true, force: true }))

  test('it is this Node that npm starts with', async () => {
    expect((await type('node --version')).stdout).toMatch(new RegExp(`^v${major}\\.`))
  })

  test('command one installs, runs, ends, and prints the table that a plain loop computes', async () => {
    const { exit, stdout, stderr } = await type(theBlock(all, 'run', 'demo').text)
    expect(exit, `${stdout}\n${stderr}`).toBe(0)
    // Before it on stdout is what npm says of itself.
    expect(stdout.slice(stdout.indexOf('REGION '))).toBe(expectedTable())
    expect(stderr).toMatch(/earthquakes stopped \| in 1,707 /)
  })

  test('a topology of one’s own: every block that needs no Kafka, with the output as shown', async () => {
    const embedded = all.filter(({ role, name }) => role === 'run' && name === 'embedded')
    expect(embedded.length).toBeGreaterThan(1)
    for (const block of embedded) {
      const { exit, stdout, stderr } = await type(block.text)
      expect({ exit, stdout }, `README.md:${block.line}\n${stderr}`).toEqual({ exit: 0, stdout: outputOf(all, block) })
    }
    const tested = await type(theBlock(all, 'run', 'test').text)
    expect(tested.exit, tested.stdout).toBe(0)
    expect(tested.stdout).toMatch(/\bpass 1$/m)
    const ci = await type(theBlock(all, 'run', 'ci').text)
    expect(ci.exit, ci.stderr).toBe(0)
    expect(ci.stdout).toContain('total lag 0')
  })

  // Command two is what `.ci/run` runs on the system's Node; here are the parts of it that a Node could change.
  if (major === 24)
    test('tests of the topologies, the pages and the package pass', async () => {
      const { exit, stdout, stderr } = await type('npx vitest run test/topologies test/docs test/package.test.ts')
      expect(exit, `${stdout}\n${stderr}`).toBe(0)
    })
})
