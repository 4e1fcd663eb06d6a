/** A function on a stack, named so that two machines name it alike. */

import type { Runtime } from 'node:inspector'
import { fileURLToPath } from 'node:url'

export interface Frame {
  /** '' for a function without a name. */
  readonly name: string
  /** Below the repository's root, `node:...` for Node's own, `wasm:...` for WebAssembly, '' for native code. */
  readonly path: string
  /** Where the function begins, from 1; 0 for native code. */
  readonly line: number
}

const root = new URL('../../', import.meta.url).href
const rootDirectory = fileURLToPath(root)

export function frameOf({ functionName, url, lineNumber }: Runtime.CallFrame): Frame {
  return { name: functionName, path: pathOf(url), line: lineNumber + 1 }
}

/** Modules have an address and CommonJS a path. What lies elsewhere keeps its last name only, and a package its place in its package. */
function pathOf(url: string): string {
  if (url.startsWith(root)) return url.slice(root.length)
  if (url.startsWith(rootDirectory)) return url.slice(rootDirectory.length)
  if (url.startsWith('node:') || url.startsWith('wasm:')) return url
  const installed = url.lastIndexOf('/node_modules/')
  return url.slice((installed < 0 ? url.lastIndexOf('/') : installed) + 1)
}

/**
 * What a cost is listed under: the innermost function that somebody here can change, and what it called of Node or V8.
 * @param stack innermost first.
 */
export function siteOf(stack: readonly Frame[]): string {
  const [inner] = stack
  if (inner === undefined) return '(root)'
  const own = stack.find(({ path }) => path !== '' && !path.startsWith('node:'))
  if (own === undefined) return placeOf(inner)
  if (own === inner) return placeOf(own)
  // V8 calls all functions of native modules by the name of one of them.
  const isAddon = inner.path === '' && own.path.startsWith('node_modules/')
  return `${placeOf(own)} > ${isAddon ? '(native)' : named(inner)}`
}

function placeOf(frame: Frame): string {
  return frame.path === '' ? named(frame) : `${frame.path}:${frame.line} ${named(frame)}`
}

function named({ name, path }: Frame): string {
  return name || (path === '' ? '(native)' : '(anonymous)')
}
