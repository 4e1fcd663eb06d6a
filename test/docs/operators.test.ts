/** docs/operators.md has a row for every method that a topology can call, every row stands for one, and what it says holds it is there. */

import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { page, root } from './blocks.ts'
import { operatorRows, operatorsPath as path } from './operator-rows.ts'
import { surfaceMethods } from './surface.ts'

const families = 'test/parity/topologies'

function linksOf(text: string): readonly string[] {
  return [...text.matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, link]) => join(dirname(path), link as string))
}

const text = page(path)
const rows = operatorRows()

const surface = await surfaceMethods()

test('every method has a row in the section of its class', () => {
  expect(surface.get('KStream')?.size).toBeGreaterThan(15)
  expect(surface.get('Windows')).toContain('tumbling')
  const missing = [...surface].flatMap(([section, methods]) => {
    const told = new Set(rows.filter((row) => row.section === section).flatMap((row) => row.methods))
    return [...methods].filter((method) => !told.has(method)).map((method) => `${section}.${method}`)
  })
  expect(missing, `methods without a row in ${path}`).toEqual([])
})

test('every row is of a method that there is', () => {
  const unknown = rows.flatMap(({ section, methods, line }) =>
    methods
      .filter((method) => surface.get(section)?.has(method) !== true)
      .map((method) => `${path}:${line} ${section}.${method}`),
  )
  expect(unknown).toEqual([])
})

test('every row has five cells and links the tests that hold it', () => {
  for (const { cells, line } of rows) {
    expect(cells, `${path}:${line}`).toHaveLength(5)
    const links = linksOf(cells[4] as string)
    expect(
      links.some((link) => link.endsWith('.test.ts') || link.endsWith('.test-d.ts')),
      `${path}:${line} links no test`,
    ).toBe(true)
  }
})

test('every link leads to a file', () => {
  const links = linksOf(text)
  expect(links.length).toBeGreaterThan(rows.length)
  expect(links.filter((link) => !existsSync(join(root, link)))).toEqual([])
})

test('every parity family is linked', async () => {
  const { families: known } = await import('../parity/twins.ts')
  const linked = new Set(linksOf(text))
  const files = readdirSync(join(root, families))
  for (const family of Object.keys(known)) {
    const file = `${family.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}.ts`
    expect(files).toContain(file)
    expect([...linked], `the parity family ${family}`).toContain(`${families}/${file}`)
  }
})
