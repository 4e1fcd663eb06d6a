/** Whole screens from a recorded run, at the sizes of real terminals: what is committed here is what people see. */

import stringWidth from 'string-width'
import { describe, expect, it } from 'vitest'
import { helpLines } from '../../../src/cli/ui/bars.ts'
import { atStart, moved } from '../../../src/cli/ui/keys.ts'
import { layOut, type Scroll } from '../../../src/cli/ui/layout.ts'
import { widthOf } from '../../../src/cli/ui/line.ts'
import { ascii, draw, plain, viewAfter, watching } from './draw.ts'
import { type Moment, momentAt, recording } from './recording.ts'

const moments = Object.keys(momentAt) as readonly Moment[]
const views = new Map(moments.map((moment) => [moment, viewAfter(recording(momentAt[moment]))]))
const viewAt = (moment: Moment) => views.get(moment) ?? viewAfter(recording(1))

const sizes = [
  { columns: 100, rows: 30 },
  { columns: 80, rows: 24 },
  { columns: 140, rows: 45 },
  { columns: 59, rows: 14 },
]

describe('frames', () => {
  for (const moment of moments) {
    for (const size of sizes) {
      const name = `${moment}-${size.columns}x${size.rows}`
      it(name, async () => {
        await expect(`${draw(viewAt(moment), size)}\n`).toMatchFileSnapshot(`frames/${name}.txt`)
      })
    }
  }

  it('without Unicode nothing but ASCII is drawn', async () => {
    const frame = draw(viewAt('restoring'), { columns: 100, rows: 30 }, { look: ascii })
    expect(frame).toMatch(/^[\x20-\x7e\n]*$/)
    await expect(`${frame}\n`).toMatchFileSnapshot('frames/restoring-ascii-100x30.txt')
  })

  it('draining and frozen are said in words', async () => {
    const size = { columns: 100, rows: 30 }
    const mode = { draining: true, frozenMs: 32_000 }
    await expect(`${draw(viewAt('running'), size, { mode })}\n`).toMatchFileSnapshot('frames/draining-100x30.txt')
  })
})

describe('size', () => {
  it('no frame is higher or wider than its terminal, however small or large', () => {
    const help: Scroll = { ...atStart, help: true }
    for (const moment of moments) {
      for (let columns = 1; columns <= 160; columns += 7) {
        for (let rows = 1; rows <= 50; rows += 3) {
          for (const scroll of [atStart, help]) {
            const { lines } = layOut(viewAt(moment), scroll, watching, { columns, rows }, plain)
            const where = `${moment} ${columns}x${rows}`
            expect(lines.length, where).toBeLessThanOrEqual(rows)
            expect(Math.max(...lines.map(widthOf)), where).toBeLessThanOrEqual(columns)
          }
        }
      }
    }
    // What ink draws is what was laid out.
    for (const size of [
      { columns: 1, rows: 1 },
      { columns: 61, rows: 15 },
      { columns: 97, rows: 23 },
    ]) {
      const { lines } = layOut(viewAt('failed'), atStart, watching, size, plain)
      const drawn = draw(viewAt('failed'), size).split('\n')
      expect(drawn).toEqual(
        lines.map((line) =>
          line
            .map(({ text }) => text)
            .join('')
            .trimEnd(),
        ),
      )
    }
  })

  it('from 60x15 on the screen fills the terminal, below it is one line', () => {
    expect(draw(viewAt('running'), { columns: 60, rows: 15 }).split('\n')).toHaveLength(15)
    expect(draw(viewAt('running'), { columns: 60, rows: 14 }).split('\n')).toHaveLength(1)
    expect(draw(viewAt('running'), { columns: 59, rows: 15 }).split('\n')).toHaveLength(1)
  })

  it('wide characters take two columns', () => {
    const [last] = recording(20).slice(-1)
    if (last === undefined) throw new Error('no snapshot')
    const processors = last.processors.map((processor) => ({ ...processor, name: '注文を数える'.repeat(3) }))
    const view = viewAfter([{ ...last, app: '注文'.repeat(40), processors }])
    for (const columns of [60, 80, 100]) {
      const lines = draw(view, { columns, rows: 30 }).split('\n')
      expect(Math.max(...lines.map((line) => stringWidth(line)))).toBeLessThanOrEqual(columns)
      // The figures after a cut name stand below their titles.
      const title = lines.find((line) => line.includes('PROCESSORS')) ?? ''
      const row = lines.find((line) => line.includes('├ ')) ?? ''
      expect(stringWidth(row)).toBe(stringWidth(title))
    }
  })
})

describe('lists', () => {
  it('with more tasks than rows scroll to every one of them and stop at the end', () => {
    const view = viewAt('running')
    const size = { columns: 80, rows: 16 }
    let scroll = atStart
    const seen = new Set<string>()
    for (let press = 0; press < 20; press++) {
      for (const [task] of draw(view, size, { scroll }).matchAll(/^ \d_\d /gm)) seen.add(task.trim())
      scroll = moved(scroll, 'down', layOut(view, scroll, watching, size, plain).reach)
    }
    expect([...seen]).toEqual(view.tasks.map((task) => task.id))
    expect(scroll.top.tasks).toBe(layOut(view, scroll, watching, size, plain).reach.tasks.last)
  })

  it('the chosen list has most room, and every list has some', () => {
    const view = viewAt('running')
    const size = { columns: 80, rows: 18 }
    const { reach } = layOut(view, atStart, watching, size, plain)
    const other = layOut(view, moved(atStart, 'next-list', reach), watching, size, plain).reach
    expect(other.stores.page).toBeGreaterThanOrEqual(2)
    const chosen: Scroll = { ...atStart, focus: 'processors' }
    const page = (scroll: Scroll): number => layOut(view, scroll, watching, size, plain).reach.processors.page
    expect(page(chosen)).toBeGreaterThan(page(atStart))
  })

  it('the help is whole on the smallest screen', () => {
    const frame = draw(viewAt('running'), { columns: 60, rows: 15 }, { scroll: { ...atStart, help: true } })
    for (const line of helpLines(200, plain)) expect(frame).toContain(line.map(({ text }) => text).join(''))
  })
})
