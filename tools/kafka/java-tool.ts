/** Runs the console tools of the Java distribution, so that a test can ask someone else than streamctl what a topic holds. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { kafkaJars } from './jars.ts'

/** Main classes of Kafka 4.1's tools; each takes the flags of the shell script that usually starts it. */
export const javaTools = {
  consoleConsumer: 'org.apache.kafka.tools.consumer.ConsoleConsumer',
  consoleProducer: 'org.apache.kafka.tools.ConsoleProducer',
  consumerGroups: 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
  getOffsets: 'org.apache.kafka.tools.GetOffsetShell',
  storage: 'kafka.tools.StorageTool',
  topics: 'org.apache.kafka.tools.TopicCommand',
  transactions: 'org.apache.kafka.tools.TransactionsCommand',
} as const

export interface JavaToolResult {
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs `mainClass` to its end with `stdin` (default: empty) and gives what it wrote.
 * Throws when Java is missing, or when the tool ends with another status than 0; the message holds its stderr.
 */
export async function runJavaTool(mainClass: string, args: readonly string[], stdin = ''): Promise<JavaToolResult> {
  const lib = await kafkaJars()
  const java = ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error']
  const child = spawn('java', [...java, '-cp', join(lib, '*'), mainClass, ...args])
  const ended = new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
    child.once('error', (cause) => reject(new Error(`java could not be started: ${cause.message}`, { cause })))
    child.once('close', (code, signal) => resolve(code ?? signal))
  })
  // A tool that ends before it has read its input breaks the pipe; its exit status tells the rest.
  child.stdin.on('error', () => {})
  child.stdin.end(stdin)
  const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  if (status !== 0) throw new Error(`${mainClass} ended with ${status}:\n${stderr}${stdout}`)
  return { stdout, stderr }
}
