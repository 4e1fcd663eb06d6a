/** What every error must look like on the terminal: one paragraph, no stack, nothing on stdout. */

import { expect } from 'vitest'
import type { Result } from '../../cli/process.ts'

/** @returns the paragraph. */
export function expectParagraph(result: Result, exit: number, ...parts: readonly (string | RegExp)[]): string {
  const paragraph = result.stderr.trimEnd().split('\n').at(-1) ?? ''
  expect(paragraph).toMatch(/^streamctl: /)
  for (const part of parts) expect(paragraph).toMatch(new RegExp(part))
  expect(result.stderr.match(/^streamctl: /gm)).toHaveLength(1)
  expect(result.stderr).not.toMatch(/^\s+at /m)
  expect([result.exit, result.stdout]).toEqual([exit, ''])
  return paragraph
}
