/** The methods that a topology can call: those of the facade's classes, and the functions of values such as `Windows`. */

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './blocks.ts'

/** Methods by the class or value that has them. */
export async function surfaceMethods(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const facade = readdirSync(join(root, 'src/dsl/facade')).map((file) => `../../src/dsl/facade/${file}`)
  const files = [...facade, '../../src/dsl/builder.ts', '../../src/index.ts']
  const modules = await Promise.all(files.map((file) => import(file) as Promise<Record<string, unknown>>))
  return new Map(
    modules
      .flatMap((module) => Object.entries(module))
      .map(([name, value]) => [name, new Set(methodsOf(value))] as const)
      .filter(([, methods]) => methods.size > 0),
  )
}

/** Of a class that is no error, and of an object that holds nothing but functions. */
function methodsOf(value: unknown): readonly string[] {
  if (typeof value === 'function') {
    if (!/^class\b/.test(String(value)) || value.prototype instanceof Error) return []
    return Object.getOwnPropertyNames(value.prototype).filter((method) => method !== 'constructor')
  }
  const plain = typeof value === 'object' && value !== null
  if (!plain || !Object.values(value).every((member) => typeof member === 'function')) return []
  return Object.keys(value)
}
