import type { Profiler } from 'node:inspector'
import { expect, test } from 'vitest'
import { cpuCosts } from '../../../bench/profile/cpu.ts'

const root = new URL('../../../', import.meta.url).href

const node = (id: number, functionName: string, url: string, children: number[] = []): Profiler.ProfileNode => ({
  id,
  callFrame: { functionName, url, lineNumber: url === '' ? -1 : 6, columnNumber: 0, scriptId: '0' },
  children,
})

const profile: Profiler.Profile = {
  nodes: [
    node(1, '(root)', '', [2, 3, 4]),
    node(2, '(idle)', ''),
    node(3, '(garbage collector)', ''),
    node(4, 'run', `${root}src/runtime/task.ts`, [5]),
    node(5, 'utf8Slice', ''),
  ],
  startTime: 0,
  endTime: 1000,
  samples: [4, 5, 2, 3, 4, 5],
  timeDeltas: [100, 200, 300, 50, 70, -20],
}

test("a sample's time is the self time of its function; a sample out of order has none", () => {
  expect(cpuCosts([profile]).costs).toEqual([
    { part: 'garbage collection', site: '(garbage collector)', amount: 50 },
    { part: 'operators, task loop', site: 'src/runtime/task.ts:7 run', amount: 170 },
    { part: 'UTF-8', site: 'src/runtime/task.ts:7 run > utf8Slice', amount: 200 },
  ])
})

test('waiting is no cost, and is added up over the profiles', () => {
  expect(cpuCosts([profile, profile]).idle).toBe(600)
})
