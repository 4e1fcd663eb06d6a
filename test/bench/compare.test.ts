import { expect, test } from 'vitest'
import { confirmed, regressions } from '../../bench/compare.ts'
import type { WorkloadResult } from '../../bench/result.ts'

const measured = (ratioToFloor: number) => ({
  floor: 1,
  engineInMemory: ratioToFloor,
  engineOnDisk: ratioToFloor,
  ratioToFloor,
})

function workload(ratioToFloor: number, name = 'windowed'): WorkloadResult {
  return { name, summary: '', floorCpuSecondsPerMillion: 1, inProcess: measured(ratioToFloor) }
}

const baseline = { settings: {} as never, workloads: [workload(1.2)] }

test('more than a tenth above the baseline is a regression, a tenth is not', () => {
  expect(regressions([workload(1.32)], baseline)).toEqual([])
  expect(regressions([workload(1.33)], baseline)).toEqual([
    'windowed, record path: 1.33 times the floor, the baseline has 1.2 (+11 %)',
  ])
  expect(regressions([workload(0.9)], baseline)).toEqual([])
})

test('a workload that only one of them has is none', () => {
  expect(regressions([workload(9, 'new')], baseline)).toEqual([])
})

test('what looks worse is measured again, and only noise that stays counts', async () => {
  const again = [1.3, 1.25]
  const asked: string[] = []
  const measure = async (name: string) => {
    asked.push(name)
    return measured(again.shift() ?? 9)
  }
  const [better] = await confirmed([workload(1.5)], baseline, measure)
  expect(better?.inProcess.ratioToFloor).toBe(1.3)
  expect(asked).toEqual(['windowed'])

  const [worse] = await confirmed([workload(1.5)], baseline, async () => measured(1.6))
  expect(regressions([worse as WorkloadResult], baseline)).toHaveLength(1)
})
