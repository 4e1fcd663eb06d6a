/** The only way numbers reach the screen: one snapshot a second, never an event per record. */

import { useEffect, useState } from 'react'
import type { Snapshot } from '../../metrics/snapshot.ts'
import { advance, beginHistory, type History } from './history.ts'

/** Calls back again and again; returns what ends it. */
export type Every = (ms: number, tick: () => void) => () => void

export const everyBySystemClock: Every = (ms, tick) => {
  const timer = setInterval(tick, ms)
  return () => clearInterval(timer)
}

const intervalMs = 1_000

export function useFeed(snapshot: () => Snapshot, every: Every): History {
  const [history, setHistory] = useState(() => beginHistory(snapshot()))
  useEffect(
    () =>
      every(intervalMs, () => {
        const next = snapshot()
        setHistory((history) => advance(history, next))
      }),
    [snapshot, every],
  )
  return history
}
