/** What a terminal may be drawn on with, from its environment. */

import { expect, it } from 'vitest'
import { lookOf, stateText } from '../../../src/cli/ui/look.ts'

it.each([
  [{ LANG: 'en_US.UTF-8' }, { colour: true, unicode: true }],
  [{ LANG: 'C.utf8' }, { colour: true, unicode: true }],
  [
    { LC_ALL: 'C', LANG: 'en_US.UTF-8' },
    { colour: true, unicode: false },
  ],
  [{}, { colour: true, unicode: false }],
  [
    { LANG: 'C.UTF-8', NO_COLOR: '1' },
    { colour: false, unicode: true },
  ],
  [
    { LANG: 'C.UTF-8', NO_COLOR: '' },
    { colour: true, unicode: true },
  ],
  [
    { LANG: 'C.UTF-8', TERM: 'dumb' },
    { colour: false, unicode: false },
  ],
])('%j', (env, look) => {
  expect(lookOf(env, 'linux')).toEqual(look)
})

it('a state is a word and a sign, not a colour', () => {
  expect(stateText('restoring', { colour: true, unicode: true })).toBe('↻ RESTORING')
  expect(stateText('running', { colour: true, unicode: false })).toBe('* RUNNING')
})
