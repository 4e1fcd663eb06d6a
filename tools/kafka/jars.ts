/** Kafka's own jars in `.kafka/lib`, fetched once through Maven; the folder exists only when it is complete. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const root = join(import.meta.dirname, '..', '..', '.kafka')
const pom = join(import.meta.dirname, 'pom.xml')

/** The folder that holds the jars; fetches them if the pom changed or nothing was fetched yet. Throws when Maven fails. */
export async function kafkaJars(): Promise<string> {
  const lib = join(root, 'lib')
  const marker = join(lib, 'pom.sha256')
  const wanted = createHash('sha256')
    .update(await readFile(pom))
    .digest('hex')
  const isComplete = async (): Promise<boolean> => existsSync(marker) && (await readFile(marker, 'utf8')) === wanted
  if (await isComplete()) return lib

  await mkdir(root, { recursive: true })
  const fresh = await mkdtemp(join(root, 'fetch-'))
  try {
    await copyDependencies(fresh)
    await writeFile(join(fresh, 'pom.sha256'), wanted)
    await rm(lib, { recursive: true, force: true })
    await rename(fresh, lib)
  } catch (error) {
    // Another process may have put the same jars there meanwhile.
    if (!(await isComplete())) throw error
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
  return lib
}

async function copyDependencies(into: string): Promise<void> {
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${into}`]
  try {
    await promisify(execFile)('mvn', ['-q', '-B', '-f', pom, ...goal], { maxBuffer: 16 * 1024 * 1024 })
  } catch (cause) {
    const { code, stdout = '', stderr = '' } = cause as { code?: unknown; stdout?: string; stderr?: string }
    const why = code === 'ENOENT' ? 'mvn is not on the path' : `mvn failed:\n${stdout}${stderr}`
    throw new Error(`Kafka's jars could not be fetched: ${why}. Install Java 17 and Maven, then try again.`, { cause })
  }
}
