import { expect, test, vi } from 'vitest'
import { Wake } from '../../src/runtime/wake.ts'

test('a wait ends when it is told, at once when it was told before, or when its time is over', async () => {
  vi.useFakeTimers()
  try {
    const wake = new Wake()
    const ended: string[] = []
    const told = wake.wait(1000).then(() => ended.push('told'))
    await vi.advanceTimersByTimeAsync(999)
    expect(ended).toEqual([])
    wake.tell()
    await told
    wake.tell()
    wake.tell()
    await wake.wait(1000)
    const over = wake.wait(1000).then(() => ended.push('over'))
    await vi.advanceTimersByTimeAsync(999)
    expect(ended).toEqual(['told'])
    await vi.advanceTimersByTimeAsync(1)
    await over
    expect([ended, vi.getTimerCount()]).toEqual([['told', 'over'], 0])
  } finally {
    vi.useRealTimers()
  }
})
