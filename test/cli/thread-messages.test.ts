import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { reportOf } from '../../src/cli/errors.ts'
import { errorData, errorFrom } from '../../src/cli/thread-messages.ts'
import { StreamError } from '../../src/common/errors.ts'
import { folder } from './process.ts'

/** As it is on the other side of a thread's messages. */
const across = (thrown: unknown) => errorFrom(structuredClone(errorData(thrown)))

test('an error of ours keeps its code, its place and its hint', () => {
  const error = new StreamError('CORRUPT', 'a row is damaged', {
    hint: 'Delete it.',
    where: { task: '0_1', offset: 7 },
  })
  expect(reportOf(across(error))).toEqual(reportOf(error))
  expect(across(error)).toBeInstanceOf(StreamError)
  expect(across(error).stack).toBe(error.stack)
})

test('what the file system refuses is the user’s to mend on the other side too', async () => {
  const path = join(folder(), 'missing', 'state')
  const error = await mkdir(path).catch((thrown: Error) => thrown)
  expect(reportOf(across(error))).toMatchObject({ code: 'INVALID_ARGUMENT', exit: 2, message: `${path}: no such file` })
  expect(reportOf(across(error))).toEqual(reportOf(error))
  expect(across(error).stack).toBe((error as Error).stack)
})

test('anything else is a bug', () => {
  const report = reportOf(across(new TypeError('x is not a function')))
  expect(report).toMatchObject({ code: 'INTERNAL', message: 'x is not a function' })
  expect(reportOf(across('x'))).toMatchObject({ code: 'INTERNAL', message: 'x' })
})
