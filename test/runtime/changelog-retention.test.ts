import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ChangelogRetention } from '../../src/runtime/changelog-retention.ts'

test('nothing that a record could still reach is ever expired, and what is expired is told once', () => {
  const commits = fc.array(
    fc.record({
      advance: fc.oneof(fc.constant(0), fc.nat(30)),
      rows: fc.integer({ min: 1, max: 5 }),
      take: fc.boolean(),
    }),
    { minLength: 1, maxLength: 60 },
  )
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), commits, (retentionMs, all) => {
      const retention = new ChangelogRetention(retentionMs)
      /** Stream time when each changelog offset was written. */
      const writtenAt: number[] = []
      let streamTime = 0
      let told = 0
      for (const { advance, rows, take } of all) {
        streamTime += advance
        for (let i = 0; i < rows; i++) writtenAt.push(streamTime)
        retention.committed(streamTime, writtenAt.length)
        if (!take) continue
        const expired = retention.takeExpired()
        if (expired === undefined) continue
        expect(expired).toBeGreaterThan(told)
        told = expired
        // A row written at stream time t is of a window that starts at t or before, and closes at its start + retention.
        for (let offset = 0; offset < expired; offset++) {
          expect((writtenAt[offset] as number) + retentionMs).toBeLessThanOrEqual(streamTime)
        }
        expect(retention.takeExpired()).toBeUndefined()
      }
    }),
  )
})

test('what is closed is expired, at the latest an eighth of the retention later', () => {
  const retention = new ChangelogRetention(80)
  for (let time = 0; time <= 400; time++) retention.committed(time, time + 1)
  const expired = retention.takeExpired()
  // Written at 320 and before: closed at 400.
  expect(expired).toBeLessThanOrEqual(321)
  expect(expired).toBeGreaterThan(310)
})

test('an idle store expires nothing', () => {
  const retention = new ChangelogRetention(10)
  retention.committed(5, 1)
  retention.committed(5, 2)
  expect(retention.takeExpired()).toBeUndefined()
})
