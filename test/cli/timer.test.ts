import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { timer, within } from '../../src/cli/timer.ts'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

const late = (seconds: number) => new Error(`late after ${seconds} s`)

test('work that ends in time is what it comes to, and no timer is left', async () => {
  expect(await within(1500, Promise.resolve('done'), late)).toBe('done')
  await expect(within(1500, Promise.reject(new Error('failed')), late)).rejects.toThrow('failed')
  expect(vi.getTimerCount()).toBe(0)
})

test('work that does not is late, and its own end is nobody’s failure then', async () => {
  const work = Promise.withResolvers<void>()
  const outcome = within(1500, work.promise, late).catch((error: Error) => error.message)
  await vi.advanceTimersByTimeAsync(1500)
  expect(await outcome).toBe('late after 1.5 s')
  work.reject(new Error('failed'))
  await vi.advanceTimersByTimeAsync(0)
})

test('without a limit nothing passes', async () => {
  const { passed, clear } = timer(undefined)
  expect(vi.getTimerCount()).toBe(0)
  expect(await Promise.race([passed.then(() => 'passed'), Promise.resolve('waits')])).toBe('waits')
  clear()
})
