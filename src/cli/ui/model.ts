/** What the screen shows, made from the history; text that came from outside is escaped here, before anything measures it. */

import type { AppState, InputSnapshot, StoreSnapshot, TaskState } from '../../metrics/snapshot.ts'
import { escapeText } from '../escape.ts'
import { type History, newest, restoreRate } from './history.ts'
import type { Series } from './sparkline.ts'
import { trees } from './tree.ts'

export interface View {
  readonly app: string
  readonly broker: string
  readonly state: AppState
  /** ms since the epoch. */
  readonly at: number
  readonly uptimeMs: number
  readonly recordsIn: number
  readonly recordsOut: number
  readonly in: Series
  readonly out: Series
  readonly lag: number
  readonly lagTrend: 'falling' | 'rising' | 'steady'
  readonly running: number
  /** Copies of the state of other processes' tasks. */
  readonly standbys: number
  readonly subTopologies: readonly SubTopologyView[]
  readonly tasks: readonly TaskView[]
  readonly stores: readonly StoreView[]
  readonly commits: {
    readonly count: number
    readonly aborted: number
    readonly lastMs: number
    readonly rebalances: number
  }
  readonly deadLetters: number
  readonly dropped: readonly { readonly reason: string; readonly count: number }[]
  readonly lastError: string | null
}

export interface SubTopologyView {
  readonly id: number
  readonly processors: readonly ProcessorView[]
}

export interface ProcessorView {
  readonly name: string
  /** Node kind, or `from <sub-topology>` where records come out of a repartition topic. */
  readonly kind: string
  readonly detail: string
  readonly rails: readonly boolean[]
  /** Records per second; null before it is known. */
  readonly rate: number | null
  readonly records: number | null
}

export interface TaskView {
  readonly id: string
  readonly state: TaskState
  readonly inputs: readonly InputSnapshot[]
  readonly rate: number | null
  readonly series: Series
  readonly restores: readonly RestoreView[]
}

export interface RestoreView {
  readonly store: string
  readonly done: number
  readonly total: number
  /** Changelog offsets per second; null before it is known. */
  readonly rate: number | null
  readonly etaMs: number | null
  /** ms without progress. */
  readonly stalledMs: number
}

export interface StoreView extends StoreSnapshot {
  /** Of its slowest task. */
  readonly etaMs: number | null
  readonly restoring: boolean
}

export function viewOf(history: History): View {
  const { latest } = history
  const short = (topic: string): string => escapeText(shortTopic(topic, latest.app))
  const tasks = [...latest.tasks].sort(byTaskId).map((task): TaskView => {
    const restores = task.restore.map(({ store, done, total }): RestoreView => {
      const past = history.restores.get(`${task.id}/${store}`)
      const rate = restoreRate(past)
      const etaMs = rate === null || rate <= 0 ? null : ((total - done) * 1000) / rate
      const stalledMs = latest.uptimeMs - (past?.movedAt ?? latest.uptimeMs)
      return { store: escapeText(store), done, total, rate, etaMs, stalledMs }
    })
    const series = history.tasks.get(task.id) ?? { values: [], end: 0 }
    return {
      id: escapeText(task.id),
      state: task.state,
      inputs: task.inputs.map((input) => ({ ...input, topic: short(input.topic) })),
      rate: newest(series),
      series,
      restores,
    }
  })
  return {
    app: escapeText(latest.app),
    broker: escapeText(latest.broker),
    state: latest.state,
    at: latest.at,
    uptimeMs: latest.uptimeMs,
    recordsIn: latest.recordsIn,
    recordsOut: latest.recordsOut,
    in: history.in,
    out: history.out,
    lag: latest.lag,
    lagTrend: trend(history.lag),
    standbys: latest.standbys.length,
    running: latest.tasks.filter((task) => task.state === 'running').length,
    subTopologies: subTopologiesOf(history),
    tasks,
    stores: latest.stores.map((store) => storeView(store, tasks)),
    commits: latest.commits,
    deadLetters: latest.errors.deadLetters,
    dropped: Object.entries(latest.errors.dropped)
      .filter(([, count]) => count > 0)
      .sort((a, b) => b[1] - a[1])
      .map(([reason, count]) => ({ reason: escapeText(reason), count })),
    lastError: latest.errors.last === null ? null : escapeText(latest.errors.last),
  }
}

/** Internal topics without the app's name, which the header says already. */
function shortTopic(topic: string, app: string): string {
  return topic.startsWith(`${app}-`) && topic.endsWith('-repartition') ? topic.slice(app.length + 1) : topic
}

/** Against ten seconds ago; a change below a twentieth is none. */
function trend(lag: Series): View['lagTrend'] {
  const now = lag.values.at(-1) ?? 0
  const before = lag.values.at(-11) ?? lag.values[0] ?? now
  if (now === 0 || Math.abs(now - before) <= Math.max(now, before) / 20) return 'steady'
  return now < before ? 'falling' : 'rising'
}

function subTopologiesOf(history: History): readonly SubTopologyView[] {
  return trees(history.latest.processors).map(({ id, nodes }) => ({
    id,
    processors: nodes.map(({ kind, processor, rails, joins }): ProcessorView => {
      const { name, store } = processor
      const topic = processor.topic === null ? null : shortTopic(processor.topic, history.latest.app)
      if (kind === 'inlet') {
        const from = `from ${processor.subTopology}`
        return { name: escapeText(topic ?? name), kind: from, detail: '', rails, rate: null, records: null }
      }
      const detail = [
        topic === null || topic === name ? '' : `topic ${topic}`,
        store === null || store === name ? '' : `store ${store}`,
        joins.length === 0 ? '' : `with ${joins.join(', ')}`,
      ]
      return {
        name: escapeText(name),
        kind: processor.kind,
        detail: escapeText(detail.filter((part) => part !== '').join(', ')),
        rails,
        rate: history.processors.get(processor.id) ?? null,
        records: processor.records,
      }
    }),
  }))
}

function storeView(store: StoreSnapshot, tasks: readonly TaskView[]): StoreView {
  const name = escapeText(store.name)
  const restores = tasks.flatMap((task) => task.restores).filter((restore) => restore.store === name)
  const etas = restores.map((restore) => restore.etaMs)
  return {
    ...store,
    name,
    restoring: store.restored < store.restoreTotal,
    etaMs: etas.length === 0 || etas.includes(null) ? null : Math.max(...etas.map((eta) => eta ?? 0)),
  }
}

/** `0_2` before `0_10`. */
function byTaskId(a: { readonly id: string }, b: { readonly id: string }): number {
  const [subA = 0, partitionA = 0] = a.id.split('_').map(Number)
  const [subB = 0, partitionB = 0] = b.id.split('_').map(Number)
  return subA - subB || partitionA - partitionB
}
