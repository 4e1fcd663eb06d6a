/** What the compiler says of a wrong program: each must name the mistake in words that its author knows. */

import { expect, test } from 'vitest'
import { compile, errorsOf, sourceOf } from './compiler.ts'
import { fileOf, programs } from './programs.ts'

const right = fileOf('no mistake', 'stream.mapValues((v) => v.amount).filter((n) => n > 1)')
const wrong = Object.entries(programs).map(([name, [text, ...told]]) => ({ name, told, program: fileOf(name, text) }))

/** All in one compilation. */
const program = compile(new Map([right, ...wrong.map((one) => one.program)]))

function messages(file: string): readonly string[] {
  return errorsOf(program, sourceOf(program, file)).map(({ message }) => message)
}

test('a right program is told nothing', () => {
  expect(messages(right[0])).toEqual([])
})

test.each(wrong)('$name', ({ program: [file], told }) => {
  const said = messages(file).join('\n')
  for (const words of told) expect(said).toContain(words)
})
