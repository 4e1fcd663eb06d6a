/** Kafka Streams: our Java program, compiled against the jars that the broker runs from. */

import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { kafkaJars } from '../../tools/kafka/jars.ts'
import { execute } from './execute.ts'
import { argumentsOf, type Side } from './side.ts'

const sources = join(import.meta.dirname, '..', 'peers', 'kafka-streams')

/** Of the peer's JVM; the rest of its flags are Java's defaults. */
export const javaHeap = '1g'

/** @param buildDir gets the class files. @throws Error when there is no JDK, or the jars cannot be fetched. */
export async function kafkaStreams(buildDir: string): Promise<Side> {
  const lib = await kafkaJars()
  const files = (await readdir(sources)).filter((name) => name.endsWith('.java')).map((name) => join(sources, name))
  await execute('javac', ['-cp', join(lib, '*'), '-d', buildDir, ...files])
  const jar = (await readdir(lib)).find((name) => /^kafka-streams-\d/.test(name))
  const classPath = `${buildDir}:${join(lib, '*')}`
  const flags = [`-Xmx${javaHeap}`, '-Dorg.slf4j.simpleLogger.defaultLogLevel=error']
  return {
    name: 'kafkaStreams',
    version: jar?.replace(/^kafka-streams-(.*)\.jar$/, '$1') ?? 'unknown',
    durable: true,
    command: (spec) => ({ file: 'java', args: [...flags, '-cp', classPath, 'bench.Main', ...argumentsOf(spec)] }),
  }
}
