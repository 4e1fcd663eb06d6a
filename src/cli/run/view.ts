/** What `run` shows of a running app: the terminal screen, or lines on stderr, or JSON events on stdout; all three from one snapshot a second. */

import type { Snapshot } from '../../metrics/snapshot.ts'
import type { StreamsApp } from '../../runtime/app-options.ts'
import { type Io, isCi, say } from '../io.ts'
import { snapshotFields, statusLine } from '../status.ts'

export type ViewKind = 'screen' | 'lines' | 'json'

export interface RunView {
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
  /** Begins to show the app. */
  show(app: StreamsApp, onQuit: (how: 'stop' | 'force') => void): Promise<void>
  /** One of the run's events, in words for people. */
  event(kind: string, words: string, fields?: object): void
  /** Takes the screen away and shows where the app stands for the last time. */
  close(exit: number): Promise<void>
}

const snapshotMs = 1_000
const statusMs = 10_000

/** The screen only where a person sits in front of one and stdout is not taken by data. */
export function viewKind(
  io: Io,
  options: { readonly json: boolean; readonly tui: boolean; readonly dataOut: boolean },
): ViewKind {
  if (options.json) return 'json'
  const plain = !options.tui || options.dataOut || io.env.TERM === 'dumb' || isCi(io.env)
  return plain || !io.outIsTerminal ? 'lines' : 'screen'
}

export function runView(kind: ViewKind, io: Io): RunView {
  let app: StreamsApp | undefined
  let screen: { close(): Promise<void> } | undefined
  const held: string[] = []
  const timers: NodeJS.Timeout[] = []
  let running = false
  let last = { in: 0, uptimeMs: 0 }

  const emit = (event: string, fields: object): void => {
    void io.out.json({ v: 1, kind: event, at: new Date().toISOString(), ...fields })
  }
  const rate = (snapshot: Snapshot): number => {
    const ms = snapshot.uptimeMs - last.uptimeMs
    const perSecond = ms <= 0 ? 0 : ((snapshot.recordsIn - last.in) * 1000) / ms
    last = { in: snapshot.recordsIn, uptimeMs: snapshot.uptimeMs }
    return perSecond
  }
  const status = (): void => {
    const snapshot = app?.snapshot()
    if (snapshot !== undefined) say(io, statusLine(snapshot, rate(snapshot)))
  }
  const tick = (): void => {
    const snapshot = app?.snapshot()
    if (snapshot === undefined) return
    if (!running && snapshot.state === 'running') {
      running = true
      emit('running', {})
    }
    emit('snapshot', snapshotFields(snapshot))
  }

  return {
    log(level, message) {
      if (kind !== 'screen') say(io, level === 'info' ? message : `${level}: ${message}`)
      else if (level !== 'info' && held.length < 50) held.push(`${level}: ${message}`)
    },
    async show(started, onQuit) {
      app = started
      if (kind === 'screen') {
        const { showApp } = await import('../ui/show.ts')
        screen = showApp({ snapshot: () => started.snapshot(), onQuit })
      } else if (kind === 'lines') {
        timers.push(setTimeout(status, snapshotMs), setInterval(status, statusMs))
      } else {
        timers.push(setInterval(tick, snapshotMs))
      }
    },
    event(event, words, fields = {}) {
      if (kind === 'json') emit(event, fields)
      else if (kind === 'lines' && words !== '') say(io, words)
      else if (words !== '') held.push(words)
    },
    async close(exit) {
      for (const timer of timers) clearTimeout(timer)
      await screen?.close()
      for (const line of held) say(io, line)
      const snapshot = app?.snapshot()
      if (snapshot === undefined) return
      if (kind === 'json') {
        const fields = snapshotFields(snapshot) as Record<string, unknown>
        const { tasks: _tasks, standbys: _standbys, stores: _stores, ...totals } = fields
        emit('stopped', { exit, totals })
      } else {
        const perSecond = snapshot.uptimeMs > 0 ? (snapshot.recordsIn * 1000) / snapshot.uptimeMs : 0
        say(io, statusLine(snapshot, perSecond))
      }
    },
  }
}
