/** Topics that come to match the patterns of a topology while it runs, and such that are gone: it is planned anew. */

import { setTimeout } from 'node:timers/promises'
import type { Broker } from '../broker/port.ts'
import { messageOf, StreamError } from '../common/errors.ts'
import type { Topology } from '../topology/node.ts'
import { matching, patternsOf } from '../topology/patterns.ts'
import { makePlan, matchedTopics, type Plan } from './plan.ts'
import { isRecoverable } from './recovery.ts'

export interface TopicWatchOptions {
  readonly topology: Topology
  readonly broker: Broker
  /** ms between two looks, at most. */
  readonly maxAgeMs: number
  /** Rebalances so far. Where there is another, a process may have come that knows more topics: that is a reason to look at once. */
  readonly rebalances: () => number
  readonly log: (level: 'info' | 'warn', message: string) => void
  readonly stopped: AbortSignal
}

const tickMs = 500

/**
 * Resolves when there are topics to read that the plan has not, with one that has them; with none when it was stopped.
 * @throws StreamError NOT_COPARTITIONED, INVALID_TOPOLOGY when the topics do not fit, UNAUTHORIZED; what may pass is tried again.
 */
export async function nextPlan(plan: Plan, options: TopicWatchOptions): Promise<Plan | undefined> {
  const { topology, broker, maxAgeMs, rebalances, log, stopped } = options
  const known = new Set(plan.externalSources)
  let lookedAt = performance.now()
  let seen = rebalances()
  while (await passed(Math.min(tickMs, maxAgeMs), stopped)) {
    const count = rebalances()
    if (count === seen && performance.now() - lookedAt < maxAgeMs) continue
    seen = count
    lookedAt = performance.now()
    try {
      const come = (await matchedTopics(topology, plan.appId, broker)).filter((topic) => !known.has(topic))
      if (come.length === 0) continue
      const next = await makePlan(topology, plan.appId, broker, plan.topicConfigs)
      log('info', `topics that match have come: ${come.join(', ')}; the tasks start anew with them`)
      return next
    } catch (error) {
      if (!isRecoverable(error)) throw error
      log('warn', `${messageOf(error)}; topics are looked for again`)
    }
  }
  return undefined
}

/** A plan without the topic that engines have failed for, where it is gone and a pattern had matched it; none where that is not what has happened. */
export async function planWithout(
  error: unknown,
  plan: Plan,
  { topology, broker, log }: Pick<TopicWatchOptions, 'topology' | 'broker' | 'log'>,
): Promise<Plan | undefined> {
  if (!(error instanceof StreamError) || error.code !== 'TOPIC_MISSING') return undefined
  const { topic = '' } = error.where
  const isRead = plan.externalSources.includes(topic)
  if (!isRead || matching(patternsOf(topology), plan.appId, [topic]).length === 0) return undefined
  if ((await broker.topics([topic])).has(topic)) return undefined
  const next = await makePlan(topology, plan.appId, broker, plan.topicConfigs)
  log('warn', `topic ${topic} is gone, and what was not read of it; the tasks start anew without it`)
  return next
}

/** False when it was stopped before. */
function passed(ms: number, stopped: AbortSignal): Promise<boolean> {
  return setTimeout(ms, true, { signal: stopped }).catch(() => false)
}
