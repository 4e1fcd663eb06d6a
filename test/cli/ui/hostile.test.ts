/** Names and messages come from records, brokers and other people's code: none of their bytes may steer the terminal. */

import { expect, it } from 'vitest'
import { atStart } from '../../../src/cli/ui/keys.ts'
import type { Snapshot } from '../../../src/metrics/snapshot.ts'
import { draw, viewAfter } from './draw.ts'
import { recording } from './recording.ts'

const attacks = [
  '\u001b[2J\u001b[H', // clears the screen
  '\u001b]0;owned\u0007', // sets the title
  '\u001b]52;c;b3duZWQ=\u0007', // writes the clipboard
  '\u009b31m\u0090\u009c', // the same in C1
  '\r\n\u0008\u0000\u007f', // moves the cursor
  '\u202egnp.exe\u2066', // turns the reading direction
  '\u200b\u2028\ufeff',
]

/** Every string in the snapshot with all attacks in it. */
function poisoned<T>(value: T): T {
  if (typeof value === 'string') return `${value}${attacks.join('x')}` as T
  if (Array.isArray(value)) return value.map(poisoned) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [poisonedKey(key, item), poisoned(item)])) as T
}

/** Reasons of dropped records are keys. */
function poisonedKey(key: string, item: unknown): string {
  return typeof item === 'number' && key.includes('-') ? `${key}${attacks.join('x')}` : key
}

/** States and kinds are the engine's own words, not text from outside. */
function attacked(snapshot: Snapshot): Snapshot {
  const evil = poisoned(snapshot)
  return {
    ...evil,
    state: snapshot.state,
    tasks: evil.tasks.map((task, index) => ({ ...task, state: snapshot.tasks[index]?.state ?? 'running' })),
  }
}

for (const second of [9, 80, 86, 100]) {
  it(`second ${second}: no control or direction character reaches the frame`, () => {
    const history = recording(second).slice(-3).map(attacked)
    for (const size of [
      { columns: 100, rows: 30 },
      { columns: 400, rows: 60 },
      { columns: 50, rows: 10 },
    ]) {
      for (const focus of ['processors', 'tasks', 'stores'] as const) {
        const frame = draw(viewAfter(history), size, { scroll: { ...atStart, focus } })
        const bytes = Buffer.from(frame)
        expect(bytes.filter((byte) => (byte < 0x20 && byte !== 0x0a) || byte === 0x7f)).toHaveLength(0)
        expect(frame).not.toMatch(/[\u0080-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/)
        expect(frame.split('\n').length).toBeLessThanOrEqual(size.rows)
        if (size.columns === 400) expect(frame).toContain('\\u001b[2J')
      }
    }
  })
}
