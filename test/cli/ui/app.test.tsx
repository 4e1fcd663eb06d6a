/** The screen as a program: keys in, frames out, with a clock that the test winds. */

import { cleanup, render } from 'ink-testing-library'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { App } from '../../../src/cli/ui/app.tsx'
import type { Snapshot } from '../../../src/metrics/snapshot.ts'
import { plain } from './draw.ts'
import { recording } from './recording.ts'

afterEach(cleanup)

const ctrlC = '\u0003'

function start(size: { columns: number; rows: number } = { columns: 100, rows: 30 }, from = 80) {
  const snapshots = recording(97)
  let second = from
  const quits: string[] = []
  const ticks = new Set<() => void>()
  let taken = 0
  const snapshot = (): Snapshot => {
    taken++
    const now = snapshots[second]
    if (now === undefined) throw new Error('the recording is over')
    return now
  }
  const screen = render(
    <App
      snapshot={snapshot}
      look={plain}
      onQuit={(how) => quits.push(how)}
      every={(ms, tick) => {
        expect(ms).toBe(1000)
        ticks.add(tick)
        return () => ticks.delete(tick)
      }}
    />,
  )
  Object.defineProperty(screen.stdout, 'columns', { value: size.columns, configurable: true })
  Object.defineProperty(screen.stdout, 'rows', { value: size.rows, configurable: true })
  screen.stdout.emit('resize')
  const frame = (): string => screen.lastFrame() ?? ''
  return {
    screen,
    quits,
    ticks,
    frame,
    taken: () => taken,
    pass(seconds: number) {
      for (let i = 0; i < seconds; i++) {
        second++
        for (const tick of ticks) tick()
      }
    },
    shows: (text: string | RegExp) => vi.waitFor(() => expect(frame()).toMatch(text)),
    async press(keys: string) {
      // The key handler is an effect: it is there once the first frame is.
      await vi.waitFor(() => expect(screen.stdin.listenerCount('readable')).toBeGreaterThan(0))
      screen.stdin.write(keys)
    },
  }
}

describe('the feed', () => {
  it('is one snapshot a second', async () => {
    const { pass, taken, shows } = start()
    await shows('12:01:20 Z')
    const before = taken()
    pass(3)
    expect(taken()).toBe(before + 3)
    await shows('12:01:23 Z')
  })

  it('ends with the screen', async () => {
    const { screen, ticks, shows } = start()
    await shows('RUNNING')
    await vi.waitFor(() => expect(ticks.size).toBe(1))
    screen.unmount()
    expect(ticks.size).toBe(0)
  })
})

describe('keys', () => {
  it('q asks to stop once and the screen says that it drains', async () => {
    const { press, quits, shows } = start()
    await shows('q stop')
    await press('q')
    await shows('▽ DRAINING…')
    await shows('Ctrl-C again: stop at once')
    await press('q')
    await press('q')
    expect(quits).toEqual(['stop'])
  })

  it('a first Ctrl-C asks, a second one forces', async () => {
    const { press, quits, shows } = start()
    await press(ctrlC)
    await shows('DRAINING')
    expect(quits).toEqual(['stop'])
    await press(ctrlC)
    expect(quits).toEqual(['stop', 'force'])
  })

  it('p stops the view and not the feed, and says how old it is', async () => {
    const { press, pass, shows, frame, taken } = start()
    await shows('12:01:20 Z')
    await press('p')
    await shows('FROZEN 0s')
    const before = taken()
    pass(5)
    await shows('FROZEN 5s  12:01:20 Z')
    expect(taken()).toBe(before + 5)
    await press('p')
    await shows('12:01:25 Z')
    expect(frame()).not.toContain('FROZEN')
  })

  it('j and k, arrows, g and G scroll the tasks', async () => {
    const { press, shows, frame } = start({ columns: 80, rows: 16 })
    await shows(/TASKS 1-(\d)\/8/)
    const page = Number(/TASKS 1-(\d)\/8/.exec(frame())?.[1])
    await press('jj')
    await shows(`TASKS 3-${page + 2}/8`)
    await press('\u001b[B')
    await shows(`TASKS 4-${page + 3}/8`)
    await press('k')
    await press('\u001b[A')
    await shows(`TASKS 2-${page + 1}/8`)
    await press('G')
    await shows(`TASKS ${9 - page}-8/8`)
    await press('j')
    await press('g')
    await shows(`TASKS 1-${page}/8`)
  })

  it('tab gives the keys to the next list', async () => {
    const { press, shows } = start({ columns: 80, rows: 16 })
    await shows('›TASKS')
    await press('\t')
    await press('\t')
    await shows('›PROCESSORS 1-')
    await press('j')
    await shows('›PROCESSORS 2-')
  })

  it('? shows the help and hides it', async () => {
    const { press, shows, frame } = start({ columns: 60, rows: 15 })
    await shows('TASKS')
    await press('?')
    await shows('close this help')
    expect(frame()).toContain('commit what is processed and leave')
    await press('?')
    await shows('TASKS')
  })
})

it('a terminal that becomes smaller gets a frame that fits', async () => {
  const { screen, shows, frame } = start({ columns: 140, rows: 45 })
  await shows('COMMITTED')
  Object.defineProperty(screen.stdout, 'rows', { value: 16, configurable: true })
  screen.stdout.emit('resize')
  await vi.waitFor(() => expect(frame().split('\n')).toHaveLength(16))
})
