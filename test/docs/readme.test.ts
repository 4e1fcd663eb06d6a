/** The README does what it says: every block of it is run, and the demo's table is computed a second time without streamctl. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { blocks, outputOf, page, root, theBlock } from './blocks.ts'
import { expectedTable } from './expected-table.ts'
import { shell } from './shell.ts'

const readme = page('README.md')
const all = blocks(readme)
const scripts = (JSON.parse(page('package.json')) as { scripts: Record<string, string> }).scripts

/** A shell with the files that the README has its reader write. */
function reader(): ReturnType<typeof shell> {
  const made = shell()
  onTestFinished(() => made.remove())
  for (const { role, name, text } of all) if (role === 'file') made.file(name, text)
  return made
}

test('every block says how it is run', () => {
  const known = /^(run: (demo|check|embedded|test|ci|kafka|kafka-first|kafka-second)|file: [\w.]+|output: |screen: )$/
  for (const { role, name, line } of all) expect(`${role}: ${name}`, `README.md:${line}`).toMatch(known)
  expect(all.filter(({ role }) => role === 'run').length).toBeGreaterThan(6)
})

test('the screen is the one that was taken', () => {
  const shown = all.filter(({ role }) => role === 'screen')
  expect(shown.map(({ text }) => text)).toEqual([`${page('docs/screen.txt').trimEnd()}\n`])
})

test('command one: the demo ends by itself with results that a plain loop confirms', { timeout: 60_000 }, async () => {
  const block = theBlock(all, 'run', 'demo')
  expect(block.text).toBe('npm install && npm run demo\n')
  const { run } = reader()
  // What `npm run demo` runs, with the streamctl of these sources in the place of the built one.
  expect(scripts.demo).toBe('node tools/demo.ts')
  const { exit, stdout, stderr } = await run(`"${process.execPath}" "${join(root, 'tools/demo.ts')}"`)
  expect({ exit, stdout }, stderr).toEqual({ exit: 0, stdout: expectedTable() })
  expect(outputOf(all, block)).toBe(stdout)
  expect(stderr).toMatch(/earthquakes running \| in [\d,]+ \(\d+\/s\)/)
  expect(stderr).toMatch(/earthquakes stopped \| in 1,707 /)
})

test('command two is what the build server runs', () => {
  expect(theBlock(all, 'run', 'check').text).toBe('npm run check\n')
  expect(page('.ci/run')).toMatch(/^\S* ?npm run check$/m)
  for (const part of ['check:format', 'check:promises', 'check:types', 'check:imports', 'check:unused', 'npm test']) {
    expect(scripts.check).toContain(part)
  }
})

test('the topology of the reader, as typed, with the output as shown', async () => {
  const { run } = reader()
  const typed = all.filter(({ role, name }) => role === 'run' && name === 'embedded')
  for (const block of typed) {
    const { exit, stdout, stderr } = await run(block.text)
    expect({ exit, stdout }, `README.md:${block.line}\n${stderr}`).toEqual({ exit: 0, stdout: outputOf(all, block) })
  }
})

test('the test of the reader passes', async () => {
  const { run, dir, file } = reader()
  // A checkout resolves its own name; this folder is outside of it.
  const entries = { streamctl: 'src/index.ts', 'streamctl/testing': 'src/testing.ts' }
  const urls = Object.fromEntries(Object.entries(entries).map(([name, path]) => [name, `file://${join(root, path)}`]))
  file(
    'names.mjs',
    `import { registerHooks } from 'node:module'
const urls = ${JSON.stringify(urls)}
registerHooks({ resolve: (name, context, next) => next(urls[name] ?? name, context) })`,
  )
  const { text } = theBlock(all, 'run', 'test')
  const { exit, stdout } = await run(text, { NODE_OPTIONS: `--import "${join(dir, 'names.mjs')}"` })
  expect(exit, stdout).toBe(0)
  expect(stdout).toMatch(/\bpass 1$/m)
  expect(stdout).toContain('a late view still counts within the grace')
})

test('the CI recipe, on the embedded broker', async () => {
  const { run, dir } = reader()
  for (const { role, name, text } of all) if (role === 'run' && name === 'embedded') await run(text)
  const { exit, stdout, stderr } = await run(theBlock(all, 'run', 'ci').text)
  expect(exit, stderr).toBe(0)
  expect(stdout).toContain('total lag 0')
  expect(readFileSync(join(dir, 'topology.mmd'), 'utf8')).toContain('page-counts')
  expect(readFileSync(join(dir, 'results.ndjson'), 'utf8')).toContain('"value":1')
})

test('every link leads to a file, and every command of the tables exists', () => {
  const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...markdownIn('docs')]
  for (const path of pages) {
    for (const [, target = ''] of page(path).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
      if (/^https?:/.test(target)) continue
      expect(existsSync(join(root, dirname(path), target)), `${path} links to ${target}`).toBe(true)
    }
    for (const [, script = ''] of page(path).matchAll(/npm run ([\w:]+)/g)) {
      expect(Object.keys(scripts), `${path} names npm run ${script}`).toContain(script)
    }
  }
})

test('the exit codes are those of the program', async () => {
  const { exitCodes } = await import('../../src/cli/exit-codes.ts')
  const told = [...readme.matchAll(/^\|\s*(\d+)\s*\|/gm)].map(([, code]) => Number(code))
  expect(told).toEqual(Object.values(exitCodes))
})

function markdownIn(dir: string): string[] {
  return readdirSync(join(root, dir), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(dir, name))
}
