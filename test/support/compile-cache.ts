/** Code that Node has stripped of types and compiled once is kept for the other processes of this run: most tests of the CLI start one. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export default function setup(): () => void {
  const dir = mkdtempSync(join(tmpdir(), 'streamctl-compiled-'))
  process.env.NODE_COMPILE_CACHE = dir
  return () => rmSync(dir, { recursive: true, force: true })
}

/** For a child process that gets an environment of its own. */
export function compileCache(): { readonly NODE_COMPILE_CACHE?: string } {
  const dir = process.env.NODE_COMPILE_CACHE
  return dir === undefined ? {} : { NODE_COMPILE_CACHE: dir }
}
