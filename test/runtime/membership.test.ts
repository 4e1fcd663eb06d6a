import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type MembershipEvent, MembershipEvents } from '../../src/runtime/membership.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const revoke: MembershipEvent = { kind: 'revoke' }
const lost: MembershipEvent = { kind: 'lost' }

/** Whether a promise has settled by now. */
async function isDone(promise: Promise<unknown>): Promise<boolean> {
  let done = false
  promise.then(
    () => {
      done = true
    },
    () => {
      done = true
    },
  )
  await vi.advanceTimersByTimeAsync(0)
  return done
}

test('an event is answered when it has been dealt with, and not before', async () => {
  const events = new MembershipEvents()
  const posted = events.post(revoke)
  const dealing = Promise.withResolvers<void>()
  const taken = events.take(() => dealing.promise)
  expect(await isDone(posted)).toBe(false)
  dealing.resolve()
  await taken
  expect(await isDone(posted)).toBe(true)
})

test('events are dealt with in order, also those that come meanwhile', async () => {
  const events = new MembershipEvents()
  const seen: string[] = []
  void events.post(revoke)
  void events.post(lost)
  await events.take(async (event) => {
    seen.push(event.kind)
    if (seen.length === 1) void events.post({ kind: 'error', error: new Error('x') })
  })
  expect(seen).toEqual(['revoke', 'lost', 'error'])
})

test('an event that cannot be dealt with is answered, and those after it are kept', async () => {
  const events = new MembershipEvents()
  const first = events.post(revoke)
  const second = events.post(lost)
  await expect(events.take(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await isDone(first)).toBe(true)
  expect(await isDone(second)).toBe(false)
  const seen: string[] = []
  await events.take(async (event) => void seen.push(event.kind))
  expect(seen).toEqual(['lost'])
})

test('a wait ends at an event, at a wake, at its time, and at once when there is something', async () => {
  const events = new MembershipEvents()
  const timed = events.wait(100)
  await vi.advanceTimersByTimeAsync(99)
  expect(await isDone(timed)).toBe(false)
  await vi.advanceTimersByTimeAsync(1)
  expect(await isDone(timed)).toBe(true)
  const woken = events.wait(100)
  events.wake()
  expect(await isDone(woken)).toBe(true)
  const posted = events.wait(100)
  void events.post(revoke)
  expect(await isDone(posted)).toBe(true)
  expect(await isDone(events.wait(100))).toBe(true)
  expect(vi.getTimerCount()).toBe(0)
})

test("an earlier wait that times out does not take a later one's wake", async () => {
  const events = new MembershipEvents()
  void events.wait(10)
  const later = events.wait(1000)
  await vi.advanceTimersByTimeAsync(10)
  events.wake()
  expect(await isDone(later)).toBe(true)
})

test('after the end nobody waits', async () => {
  const events = new MembershipEvents()
  const before = events.post(revoke)
  const waiting = events.wait(1000)
  events.close()
  expect(await isDone(before)).toBe(true)
  expect(await isDone(waiting)).toBe(true)
  expect(await isDone(events.post(lost))).toBe(true)
  expect(await isDone(events.wait(1000))).toBe(true)
})
