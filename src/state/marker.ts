/** The file that says a task directory is ours and how it was left; nothing without it is ever deleted. */

import { open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'

export const markerFile = 'streamctl-task.json'

/**
 *     creating ──▶ open ⇄ closed
 *        ▲          │
 *        └── wipe ──┘
 */
export interface Marker {
  readonly state: 'creating' | 'open' | 'closed'
  readonly task: string
  /** Boot of the machine that opened it, null when unknown. */
  readonly bootId: string | null
}

/** The marker, 'absent', or 'damaged' when there is one that does not read. */
export async function readMarker(directory: string): Promise<Marker | 'absent' | 'damaged'> {
  let text: string
  try {
    text = await readFile(join(directory, markerFile), 'utf8')
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return 'absent'
    throw thrown
  }
  try {
    const { state, task, bootId } = JSON.parse(text) as Partial<Record<string, unknown>>
    const known = state === 'creating' || state === 'open' || state === 'closed'
    if (!known || typeof task !== 'string' || (bootId !== null && typeof bootId !== 'string')) return 'damaged'
    return { state, task, bootId }
  } catch {
    return 'damaged'
  }
}

export function writeMarker(directory: string, marker: Marker): Promise<void> {
  return replaceFile(join(directory, markerFile), JSON.stringify(marker))
}

/** All or nothing, also over a power loss: the text is on disk before it takes the name. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const draft = `${path}.new`
  const file = await open(draft, 'w', 0o600)
  try {
    await file.writeFile(text, 'utf8')
    await file.datasync()
  } finally {
    await file.close()
  }
  await rename(draft, path)
}
