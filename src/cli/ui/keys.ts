/** What a key does to the screen: pure, so that every key is tested without a terminal. */

import { type Frame, type Panel, panels, type Scroll } from './layout.ts'

export type Command = 'up' | 'down' | 'page-up' | 'page-down' | 'top' | 'end' | 'next-list' | 'help' | 'close-help'

export const atStart: Scroll = { focus: 'tasks', top: { processors: 0, tasks: 0, stores: 0 }, help: false }

export function moved(scroll: Scroll, command: Command, reach: Frame['reach']): Scroll {
  const { focus } = scroll
  const { last, page } = reach[focus]
  const now = Math.min(scroll.top[focus], last)
  const to = (row: number): Scroll => ({
    ...scroll,
    top: { ...scroll.top, [focus]: Math.max(0, Math.min(last, row)) },
  })
  switch (command) {
    case 'up':
      return to(now - 1)
    case 'down':
      return to(now + 1)
    case 'page-up':
      return to(now - page)
    case 'page-down':
      return to(now + page)
    case 'top':
      return to(0)
    case 'end':
      return to(last)
    case 'next-list':
      return { ...scroll, focus: next(focus, reach) }
    case 'help':
      return { ...scroll, help: !scroll.help }
    case 'close-help':
      return { ...scroll, help: false }
  }
}

/** Lists that are not on the screen are passed over. */
function next(focus: Panel, reach: Frame['reach']): Panel {
  const at = panels.indexOf(focus)
  const order = [...panels.slice(at + 1), ...panels.slice(0, at)]
  return order.find((panel) => reach[panel].page > 0) ?? focus
}
