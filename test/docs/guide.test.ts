/** The TypeScript of the pages compiles as it stands there, and what it builds is a topology; the command line's page has every option. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Topology } from '../../src/index.ts'
import { subTopologies } from '../../src/topology/subtopology.ts'
import { call, folder } from '../cli/process.ts'
import { type Block, blocks, page, root, theBlock } from './blocks.ts'

const guide = blocks(page('docs/guide.md'))
const fragments = guide.filter(({ role }) => role === 'topology')
const tests = guide.filter(({ role }) => role === 'test')
const prelude = theBlock(guide, 'prelude', '').text
const readme = blocks(page('README.md')).filter(({ role }) => role === 'file')

/** A fragment is the body of `defineTopology`, below what the page says it takes for granted. */
function moduleOf({ text }: Block): string {
  // One fragment does not need all that the page imports.
  const imported = [...prelude.matchAll(/^ {2}(\w+),$/gm)].map(([, name]) => name)
  const used = `export const used = [${imported.join(', ')}, orders, customers, totals]`
  return `${prelude}
export type { StreamsBuilder }
${used}
export default defineTopology('guide', (b) => {
${text}})
`
}

let dir: string
const files = new Map<string, string>()

beforeAll(() => {
  // Inside of the checkout, so that the package's own name and its dependencies resolve.
  mkdirSync(join(root, 'node_modules/.cache'), { recursive: true })
  dir = mkdtempSync(join(root, 'node_modules/.cache/streamctl-guide-'))
  for (const [index, fragment] of fragments.entries()) files.set(`fragment-${index}.ts`, moduleOf(fragment))
  for (const [index, { text }] of tests.entries()) files.set(`test-${index}.ts`, text)
  for (const { name, text } of readme) files.set(name, text)
  for (const [name, text] of files) writeFileSync(join(dir, name), text)
})

afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** The last one, which lends the next what it has read. */
let program: ts.Program | undefined

function typeErrors(names: readonly string[]): readonly string[] {
  const config = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  program = ts.createProgram(
    names.map((name) => join(dir, name)),
    options,
    undefined,
    program,
  )
  return ts
    .getPreEmitDiagnostics(program)
    .filter(({ file }) => file?.fileName.startsWith(dir) === true)
    .map(({ file, start = 0, messageText }) => {
      const line = (file?.getLineAndCharacterOfPosition(start).line ?? 0) + 1
      return `${file?.fileName.slice(dir.length + 1)}:${line} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
    })
}

test('every block of the guide and every file of the README type-checks', { timeout: 60_000 }, () => {
  expect(fragments.length).toBeGreaterThan(5)
  expect(typeErrors([...files.keys()])).toEqual([])
})

test('a mistake in a block would be seen', { timeout: 60_000 }, () => {
  writeFileSync(join(dir, 'wrong.ts'), (files.get('fragment-0.ts') as string).replace('payment.cents', 'payment.sense'))
  expect(typeErrors(['wrong.ts']).join()).toMatch(/sense/)
})

test.each(fragments.map((fragment, index) => [fragment.line, index]))(
  'the block of line %i of the guide is a topology',
  async (_line, index) => {
    const loaded = (await import(join(dir, `fragment-${index}.ts`))) as { default: Topology }
    expect(subTopologies(loaded.default).length).toBeGreaterThan(0)
  },
)

test.each(tests.map((block, index) => [block.line, index]))(
  'the test of line %i of the guide passes',
  async (_line, index) => {
    await import(join(dir, `test-${index}.ts`))
  },
)

test('every block of the guide is one of these', () => {
  for (const { role, language, line } of guide) {
    if (language === 'ts') expect(role, `docs/guide.md:${line}`).toMatch(/^(topology|prelude|test)$/)
  }
})

describe('docs/cli.md', () => {
  const text = page('docs/cli.md')
  const section = (command: string): string => {
    const found = new RegExp(`^## ${command}\\n([\\s\\S]*?)(?=^## )`, 'm').exec(text)?.[1]
    if (found === undefined) throw new Error(`no section ${command}`)
    return found
  }

  test.each(['run', 'try', 'graph', 'check', 'produce', 'consume', 'lag'])(
    'has every option of %s',
    async (command) => {
      const { stdout } = await call([command, '--help'], { cwd: folder() })
      const options = [...stdout.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map(([, option]) => option as string)
      expect(options).toContain('--json')
      const told = `${section(command)} --json --debug --help --broker --timeout`
      for (const option of options) expect(told, `${command} ${option}`).toContain(option)
    },
  )

  test('has every error code, with its exit code', async () => {
    const { exitCodeOf } = await import('../../src/cli/exit-codes.ts')
    const rows = [...text.matchAll(/^\|\s*(\d)\s*\|\s*((?:`[A-Z_]+`(?:, )?)+)\s*\|$/gm)]
    const told = rows.flatMap(([, exit, codes = '']) =>
      [...codes.matchAll(/`(\w+)`/g)].map(([, code]) => [code as string, Number(exit)] as const),
    )
    const source = page('src/common/errors.ts')
    const union = /export type ErrorCode =([\s\S]*?)\n\n/.exec(source)?.[1] ?? ''
    const codes = [...union.matchAll(/\| '(\w+)'/g)].map(([, code]) => code as string)
    expect(codes.length).toBeGreaterThan(10)
    expect(new Map(told)).toEqual(
      new Map([['USAGE', 2], ...codes.map((code) => [code, exitCodeOf(code as 'INTERNAL')] as const)]),
    )
  })
})
