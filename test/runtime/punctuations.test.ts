import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Punctuations } from '../../src/runtime/punctuations.ts'

/** What was called, as `name@time`. */
function make(): {
  readonly punctuations: Punctuations
  readonly calls: string[]
  readonly add: (name: string) => (time: number) => void
} {
  const calls: string[] = []
  return { punctuations: new Punctuations(), calls, add: (name) => (time) => calls.push(`${name}@${time}`) }
}

test('by stream time the first is due with the first record, the next on the multiples of the interval', () => {
  const { punctuations, calls, add } = make()
  punctuations.schedule('stream-time', 10, add('a'))
  punctuations.start(-1, 1000)
  expect([punctuations.nextStreamTime, punctuations.nextWallClock]).toEqual([0, Number.POSITIVE_INFINITY])
  for (const time of [3, 9, 10, 19, 47, 50]) punctuations.punctuate('stream-time', time)
  expect(calls).toEqual(['a@3', 'a@10', 'a@47', 'a@50'])
  expect(punctuations.nextStreamTime).toBe(60)
})

test('where stream time is restored, the next lies after it: what was due then was done', () => {
  const { punctuations, calls, add } = make()
  punctuations.schedule('stream-time', 10, add('a'))
  punctuations.start(40, 0)
  expect(punctuations.nextStreamTime).toBe(50)
  punctuations.start(41, 0)
  expect(punctuations.nextStreamTime).toBe(50)
  expect(punctuations.punctuate('stream-time', 49)).toBe(false)
  expect(punctuations.punctuate('stream-time', 50)).toBe(true)
  expect(calls).toEqual(['a@50'])
})

test('by the wall clock the first is due one interval after the start, and missed ones are skipped', () => {
  const { punctuations, calls, add } = make()
  punctuations.schedule('wall-clock-time', 10, add('a'))
  punctuations.start(-1, 1003)
  expect([punctuations.nextStreamTime, punctuations.nextWallClock]).toEqual([Number.POSITIVE_INFINITY, 1013])
  for (const time of [1012, 1013, 1022, 1059, 1063]) punctuations.punctuate('wall-clock-time', time)
  expect(calls).toEqual(['a@1013', 'a@1059', 'a@1063'])
})

test('what has been due longest is called first, in the order given where equal', () => {
  const { punctuations, calls, add } = make()
  for (const [name, interval] of [
    ['long', 30],
    ['a', 10],
    ['b', 10],
  ] as const)
    punctuations.schedule('stream-time', interval, add(name))
  punctuations.start(0, 0)
  punctuations.punctuate('stream-time', 35)
  expect(calls).toEqual(['a@35', 'b@35', 'long@35'])
})

test('whatever the looks, a schedule is called at those that are the first in their step of the grid', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: -1, max: 50 }),
      fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 30 }),
      (interval, restored, steps) => {
        const { punctuations, calls, add } = make()
        punctuations.schedule('stream-time', interval, add('a'))
        punctuations.start(restored, 0)
        let time = Math.max(0, restored)
        let last = restored < 0 ? -1 : Math.floor(restored / interval)
        const expected: string[] = []
        for (const step of steps) {
          time += step
          const due = punctuations.nextStreamTime <= time
          expect(punctuations.punctuate('stream-time', time)).toBe(due)
          const at = Math.floor(time / interval)
          if (at > last) expected.push(`a@${time}`)
          last = at
        }
        expect(calls).toEqual(expected)
      },
    ),
  )
})
