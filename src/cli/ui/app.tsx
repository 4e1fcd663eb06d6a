/** The screen of a running app: feed, keys and size put together. */

import { type Key, useInput, useStdin, useWindowSize } from 'ink'
import { useState } from 'react'
import type { Snapshot } from '../../metrics/snapshot.ts'
import type { Mode } from './bars.ts'
import type { History } from './history.ts'
import { atStart, type Command, moved } from './keys.ts'
import { layOut } from './layout.ts'
import type { Look } from './look.ts'
import { viewOf } from './model.ts'
import { Screen } from './screen.tsx'
import { type Every, useFeed } from './use-feed.ts'

export interface AppProps {
  readonly snapshot: () => Snapshot
  readonly onQuit: (how: 'stop' | 'force') => void
  readonly look: Look
  readonly every: Every
}

export function App({ snapshot, onQuit, look, every }: AppProps) {
  const live = useFeed(snapshot, every)
  const size = useWindowSize()
  const [scroll, setScroll] = useState(atStart)
  const [frozen, setFrozen] = useState<History | null>(null)
  const [asked, setAsked] = useState(false)
  const { isRawModeSupported } = useStdin()

  // A signal from elsewhere drains the app too.
  const draining = asked || live.latest.state === 'draining'
  const mode: Mode = { draining, frozenMs: frozen === null ? null : live.latest.at - frozen.latest.at }
  const { lines, reach } = layOut(viewOf(frozen ?? live), scroll, mode, size, look)

  const quit = (again: 'force' | 'nothing'): void => {
    if (!draining) {
      setAsked(true)
      onQuit('stop')
    } else if (again === 'force') onQuit('force')
  }
  useInput(
    (input, key) => {
      if (key.ctrl) {
        if (input === 'c') quit('force')
        return
      }
      const command = commandOf(key)
      if (command !== undefined) setScroll((scroll) => moved(scroll, command, reach))
      // Keys typed fast arrive together.
      else for (const character of input) type(character)
    },
    { isActive: isRawModeSupported },
  )
  const type = (character: string): void => {
    const command = letters[character]
    if (command !== undefined) setScroll((scroll) => moved(scroll, command, reach))
    else if (character === 'q') quit('nothing')
    else if (character === 'p') setFrozen((frozen) => (frozen === null ? live : null))
  }

  return <Screen lines={lines} look={look} />
}

const letters: Readonly<Record<string, Command>> = { j: 'down', k: 'up', g: 'top', G: 'end', '?': 'help' }

function commandOf(key: Key): Command | undefined {
  if (key.upArrow) return 'up'
  if (key.downArrow) return 'down'
  if (key.pageUp) return 'page-up'
  if (key.pageDown) return 'page-down'
  if (key.tab) return 'next-list'
  if (key.escape) return 'close-help'
  return undefined
}
