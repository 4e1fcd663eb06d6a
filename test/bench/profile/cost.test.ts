import { expect, test } from 'vitest'
import { type Call, costsOf } from '../../../bench/profile/cost.ts'
import type { Frame } from '../../../bench/profile/frame.ts'

const root: Frame = { path: '', name: '(root)', line: 0 }
const run: Frame = { path: 'src/runtime/task.ts', name: 'run', line: 7 }
const find: Frame = { path: 'src/state/overlay.ts', name: '#find', line: 40 }
const profile: Frame = { path: 'bench/profile/cpu.ts', name: 'cpuProfile', line: 17 }
const get: Frame = { path: '', name: 'get', line: 0 }

const call = (frame: Frame, self: number, ...callees: Call[]): Call => ({ frame, self, callees })

test('a function that is reached by two ways, or in two trees, is one cost of its self amounts', () => {
  const tree = call(root, 0, call(run, 5, call(find, 10), call(run, 1, call(find, 20))))
  expect(costsOf([tree, tree])).toEqual([
    { part: 'operators, task loop', site: 'src/runtime/task.ts:7 run', amount: 12 },
    { part: 'state overlay', site: 'src/state/overlay.ts:40 #find', amount: 60 },
  ])
})

test('a builtin is listed, and counted, with the function that called it', () => {
  const tree = call(root, 0, call(run, 0, call(get, 3), call(find, 0, call(get, 4))))
  expect(costsOf([tree])).toEqual([
    { part: 'operators, task loop', site: 'src/runtime/task.ts:7 run > get', amount: 3 },
    { part: 'state overlay', site: 'src/state/overlay.ts:40 #find > get', amount: 4 },
  ])
})

test('the profiler itself is left out, and what it looks at is not', () => {
  const tree = call(root, 0, call(profile, 5, call(get, 3), call(run, 7)))
  expect(costsOf([tree])).toEqual([{ part: 'operators, task loop', site: 'src/runtime/task.ts:7 run', amount: 7 }])
})
