/** What a clone or an installed package relies on before any code of ours runs. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

interface LockEntry {
  readonly resolved?: string
  readonly link?: boolean
}

describe('package-lock.json', () => {
  const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, LockEntry> }
  const names = Object.keys(packages)

  test('holds no download address, so that any registry serves it', () => {
    const addresses = Object.entries(packages).filter(([, entry]) => entry.resolved !== undefined && !entry.link)
    expect(addresses).toEqual([])
    expect(read('package-lock.json')).not.toMatch(/\.tgz/)
  })

  test.each(['darwin-arm64', 'darwin-x64', 'linux-arm64-gnu', 'linux-x64-gnu', 'linux-x64-musl', 'win32-x64-msvc'])(
    'holds the native parts for %s',
    (platform) => {
      for (const native of ['@node-rs/crc32', '@napi-rs/snappy', '@antoniomuso/lz4-napi']) {
        expect(names).toContain(`node_modules/${native}-${platform}`)
      }
    },
  )
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
