import { expect, test } from 'vitest'
import type { Cost } from '../../../bench/profile/cost.ts'
import { parts } from '../../../bench/profile/parts.ts'
import { allocationTables, cpuTables, distance } from '../../../bench/profile/report.ts'

const costs: readonly Cost[] = [
  { part: 'garbage collection', site: '(garbage collector)', amount: 500 },
  { part: 'JSON parse', site: 'src/serde/json.ts:36 deserialize', amount: 250 },
  { part: 'state overlay', site: 'src/state/window.ts:48 rowKey', amount: 125 },
  { part: 'state overlay', site: 'src/state/overlay.ts:185 #find', amount: 125 },
]
const [byPart = [], bySite = []] = cpuTables({ costs, idle: 250 }, 100)

test('every part has its line in every report, in one order, and all of them add up', () => {
  expect(byPart).toHaveLength(parts.length + 3)
  for (const [i, part] of parts.entries()) expect(byPart[i + 1]).toMatch(new RegExp(`^${part} +[\\d.]+ % +\\d+$`))
  expect(byPart).toContain('JSON parse                25.0 %          25')
  expect(byPart).toContain('state overlay             25.0 %          25')
  expect(byPart).toContain('LevelDB                    0.0 %           0')
  expect(byPart.at(-2)).toBe('all                      100.0 %         100')
})

test('waiting comes on top of what was used', () => {
  expect(byPart.at(-1)).toBe('waiting/idle              25.0 %          25')
})

test('functions come dearest first, and by name where they cost the same', () => {
  expect(bySite.slice(1)).toEqual([
    ' 25.0 %          25   src/serde/json.ts:36 deserialize',
    ' 12.5 %          13   src/state/overlay.ts:185 #find',
    ' 12.5 %          13   src/state/window.ts:48 rowKey',
  ])
})

test('no more than 15 functions are listed', () => {
  const many = Array.from({ length: 40 }, (_, i): Cost => ({ part: 'other', site: `site ${i}`, amount: i + 1 }))
  const [, lines = []] = allocationTables(many, 1)
  expect(lines).toHaveLength(16)
  expect(lines[1]).toContain('site 39')
  expect(lines[15]).toContain('site 25')
})

test('nothing at all is a report too', () => {
  const [lines = []] = allocationTables([], 1)
  expect(lines.at(-1)).toBe('all                        0.0 %              0')
})

test('the distance to the floor comes per million and per record', () => {
  expect(distance({ engine: 4.1239, mainThread: 3.6, floor: 2 })).toEqual([
    '                    s per million   ns/record',
    'engine                       4.12        4124',
    '  its main thread            3.60        3600',
    'floor                        2.00        2000',
    'distance                     2.12        2124',
    'The engine takes 2.06 times the floor.',
  ])
})
