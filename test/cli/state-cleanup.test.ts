import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openTaskState } from '../../src/state/task-state.ts'
import { call, folder, wordCount } from './process.ts'

test('run removes state that was not used for its --state-cleanup-delay, and says so', async () => {
  const cwd = folder({ 'topology.ts': wordCount })
  const dir = join(cwd, 'broker', 'state', 'word-count', '7_7')
  const state = await openTaskState({ dir, taskId: '7_7', warn: () => undefined })
  await state.close()
  let stop: () => void = () => undefined
  const args = ['run', 'topology.ts', '--broker', 'embedded:broker', '--state-cleanup-delay', '50ms']
  const running = call(args, { cwd, onReady: (signal) => (stop = signal) })
  await expect.poll(() => existsSync(dir), { timeout: 10_000 }).toBe(false)
  stop()
  const { exit, stderr } = await running
  expect(exit).toBe(0)
  expect(stderr).toMatch(/state of task 7_7 was removed: not used for \d+ s/)
})
