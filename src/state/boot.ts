/** Which boot of the machine this is: what was not synced before a power loss may be gone after it. */

import { readFileSync } from 'node:fs'

/** The kernel's boot id, or null where there is none (other than Linux). */
export function readBootId(path = '/proc/sys/kernel/random/boot_id'): string | null {
  try {
    return readFileSync(path, 'utf8').trim() || null
  } catch {
    return null
  }
}
