/** Output of the topology's own code waits until the screen is gone. */

import { expect, it } from 'vitest'
import { holdConsole } from '../../../src/cli/ui/held-console.ts'

function fakeConsole() {
  const said: string[] = []
  const method = (name: string) => (text: string) => {
    said.push(`${name} ${text}`)
  }
  const target = {
    log: method('log'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
    debug: method('debug'),
  }
  return { said, target }
}

it('is kept and then said by the method it was said with', () => {
  const { said, target } = fakeConsole()
  const before = target.log
  const release = holdConsole(target)
  const console = target as unknown as Pick<Console, 'log' | 'warn'>
  console.log('%s has %d', 'a', 1, { x: 1 })
  console.warn('careful')
  expect(said).toEqual([])
  release()
  release()
  expect(said).toEqual(['log a has 1 { x: 1 }', 'warn careful'])
  expect(target.log).toBe(before)
})

it('keeps the newest lines and says how many it did not', () => {
  const { said, target } = fakeConsole()
  const release = holdConsole(target)
  for (let line = 0; line < 1000; line++) target.log(String(line))
  release()
  expect(said).toHaveLength(201)
  expect(said[0]).toBe("error (800 earlier lines of the topology's own output are not kept)")
  expect(said.at(-1)).toBe('log 999')
})
