import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { type Frame, frameOf, siteOf } from '../../../bench/profile/frame.ts'

const root = new URL('../../../', import.meta.url)

function called(functionName: string, url: string, lineNumber = 6): Frame {
  return frameOf({ functionName, url, lineNumber, columnNumber: 0, scriptId: '1' })
}

test('a path is one of the repository, for a module as for CommonJS', () => {
  const frame = { name: 'run', path: 'src/runtime/task.ts', line: 7 }
  expect(called('run', new URL('src/runtime/task.ts', root).href)).toEqual(frame)
  expect(called('run', fileURLToPath(new URL('src/runtime/task.ts', root)))).toEqual(frame)
})

test("no other path of the machine is left; Node's own keep their names", () => {
  expect(called('run', 'file:///home/somebody/elsewhere/task.js').path).toBe('task.js')
  expect(called('get', '/home/somebody/elsewhere/node_modules/classic-level/index.js').path).toBe(
    'node_modules/classic-level/index.js',
  )
  expect(called('from', 'node:buffer').path).toBe('node:buffer')
  expect(called('', 'node:internal/buffer').path).toBe('node:internal/buffer')
  expect(called('utf8Slice', '', -1)).toEqual({ name: 'utf8Slice', path: '', line: 0 })
})

test('a site is the innermost function of a file, and what it called of Node and V8', () => {
  const decode: Frame = { path: 'src/serde/text.ts', name: 'decodeUtf8', line: 6 }
  const text: Frame = { path: 'node:buffer', name: 'toString', line: 900 }
  const slice: Frame = { path: '', name: 'utf8Slice', line: 0 }
  const batch: Frame = { path: 'node_modules/classic-level/index.js', name: '', line: 200 }
  expect(siteOf([decode, batch])).toBe('src/serde/text.ts:6 decodeUtf8')
  expect(siteOf([slice, text, decode, batch])).toBe('src/serde/text.ts:6 decodeUtf8 > utf8Slice')
  expect(siteOf([text])).toBe('node:buffer:900 toString')
  expect(siteOf([slice])).toBe('utf8Slice')
  expect(siteOf([batch])).toBe('node_modules/classic-level/index.js:200 (anonymous)')
})

test('a function of a native module has no name that could be trusted', () => {
  const getSync: Frame = { path: 'node_modules/classic-level/index.js', name: '_getSync', line: 91 }
  expect(siteOf([{ path: '', name: 'crc32c', line: 0 }, getSync])).toBe(
    'node_modules/classic-level/index.js:91 _getSync > (native)',
  )
})
