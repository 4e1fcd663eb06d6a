/** Frames as a terminal would show them, without one. */

import { renderToString } from 'ink'
import { createElement } from 'react'
import type { Mode } from '../../../src/cli/ui/bars.ts'
import { advance, beginHistory, type History } from '../../../src/cli/ui/history.ts'
import { atStart } from '../../../src/cli/ui/keys.ts'
import { layOut, type Scroll, type Size } from '../../../src/cli/ui/layout.ts'
import type { Look } from '../../../src/cli/ui/look.ts'
import { type View, viewOf } from '../../../src/cli/ui/model.ts'
import { Screen } from '../../../src/cli/ui/screen.tsx'
import type { Snapshot } from '../../../src/metrics/snapshot.ts'

export const plain: Look = { colour: false, unicode: true }
export const ascii: Look = { colour: false, unicode: false }
export const watching: Mode = { draining: false, frozenMs: null }

export function historyOf(snapshots: readonly Snapshot[]): History {
  const [first, ...rest] = snapshots
  if (first === undefined) throw new Error('a history begins with a snapshot')
  return rest.reduce(advance, beginHistory(first))
}

export function viewAfter(snapshots: readonly Snapshot[]): View {
  return viewOf(historyOf(snapshots))
}

export function draw(
  view: View,
  size: Size,
  options: { readonly scroll?: Scroll; readonly mode?: Mode; readonly look?: Look } = {},
): string {
  const { scroll = atStart, mode = watching, look = plain } = options
  const { lines } = layOut(view, scroll, mode, size, look)
  return renderToString(createElement(Screen, { lines, look }), { columns: size.columns })
}
