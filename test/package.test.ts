/** What a clone or an installed package relies on before any code of ours runs. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

interface LockEntry {
  readonly resolved?: string
  readonly link?: boolean
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

describe('package-lock.json', () => {
  const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, LockEntry> }
  const names = Object.keys(packages)

  test('holds no download address, so that any registry serves it', () => {
    const addresses = Object.entries(packages).filter(([, entry]) => entry.resolved !== undefined && !entry.link)
    expect(addresses).toEqual([])
    expect(read('package-lock.json')).not.toMatch(/\.tgz/)
  })

  test('holds the native parts for every platform, not only for the one it was written on', () => {
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter((name) => !resolves(path, name)),
    )
    expect(missing).toEqual([])
    expect(names).toContain('node_modules/@node-rs/crc32-darwin-arm64')
  })

  /** As Node does it: in the package's own node_modules, then in each one above. */
  function resolves(path: string, name: string): boolean {
    if (names.includes(`${path}/node_modules/${name}`)) return true
    const above = path.lastIndexOf('/node_modules/')
    return above < 0 ? names.includes(`node_modules/${name}`) : resolves(path.slice(0, above), name)
  }
})

test('dependencies are pinned exactly', () => {
  const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<string, Record<string, string>>
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
    expect(version, name).toMatch(/^\d+\.\d+\.\d+$/)
  }
})

test('tests run on a Node that satisfies engines', () => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  expect(major > 22 || (major === 22 && minor >= 18)).toBe(true)
})
