/** What `run` writes is never what it reads, and no two results go into one file: told before a file is opened, however the paths are spelled. */

import { readlink, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { UsageError } from '../errors.ts'
import type { Io } from '../io.ts'
import type { RunOptions } from './options.ts'

/**
 * Regular files only: pipes and devices keep nothing that could be lost, and stdout takes the results of several topics.
 * @param topology the file of the topology.
 * @throws UsageError for an --out that is the topology, an --in, or another --out.
 */
export async function checkFiles(
  topology: string,
  { in: inputs = [], out: outputs = [] }: Pick<RunOptions, 'in' | 'out'>,
  { cwd }: Pick<Io, 'cwd'>,
): Promise<void> {
  const read = new Map<string, string>()
  const written = new Map<string, string>()
  const identity = async (file: string): Promise<string | undefined> =>
    file === '-' ? undefined : identityOf(resolve(cwd, file))

  for (const [name, file] of [
    [`the topology ${topology}`, topology],
    ...inputs.map(({ topic, file }) => [`--in ${topic}=${file}`, file] as const),
  ] as const) {
    const id = await identity(file)
    if (id !== undefined) read.set(id, name)
  }
  for (const { topic, file } of outputs) {
    const id = await identity(file)
    if (id === undefined) continue
    const name = `--out ${topic}=${file}`
    const source = read.get(id)
    if (source !== undefined) {
      throw new UsageError(`${name} would empty the file of ${source}`, 'Name another file for the results.')
    }
    const other = written.get(id)
    if (other !== undefined) {
      throw new UsageError(
        `${other} and ${name} are one file`,
        'Give each topic a file of its own, or write them to stdout: --out topic=-.',
      )
    }
    written.set(id, name)
  }
}

/** Equal for two paths that are, or would become, one regular file; undefined where there is or can be none, which opening it tells. */
async function identityOf(path: string): Promise<string | undefined> {
  try {
    const found = await stat(path, { bigint: true })
    return found.isFile() ? `${found.dev}:${found.ino}` : undefined
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') return undefined
  }
  const folder = await realpath(dirname(path)).catch(() => undefined)
  if (folder === undefined) return undefined
  // A link to what is not there yet: opening it makes its target.
  const target = await readlink(path).catch(() => undefined)
  return target === undefined ? join(folder, basename(path)) : identityOf(resolve(folder, target))
}
