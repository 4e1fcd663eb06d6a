/**
 * The identity of a state directory over restarts: the transactional id is made of it, so a restarted process ends at once
 * what its predecessor left open, instead of waiting for the transaction to time out.
 */

import { randomUUID } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const fileName = 'process-id'

/** The id of the directory, made at the first call. The directory must be locked by this process. */
export async function processId(directory: string): Promise<string> {
  const path = join(directory, fileName)
  const found = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  if (/^[0-9a-f-]{36}$/.test(found)) return found
  const id = randomUUID()
  await writeFile(`${path}.new`, id, { mode: 0o600 })
  await rename(`${path}.new`, path)
  return id
}
