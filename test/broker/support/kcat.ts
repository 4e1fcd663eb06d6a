/** What kcat (librdkafka) reads of a topic: an independent reader that gives the bytes as they are. */

import { spawn } from 'node:child_process'
import { buffer, text } from 'node:stream/consumers'

export interface KcatRecord {
  readonly partition: number
  readonly offset: number
  /** ms */
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
}

/** Committed records of the whole topic, those of a partition in order. */
export async function readBytes(bootstrap: string, topic: string): Promise<readonly KcatRecord[]> {
  const bytes = await kcat(bootstrap, topic, ['-f', '%p %o %T %K %S\\n%k%s\\n'])
  const records: KcatRecord[] = []
  for (let at = 0; at < bytes.length; ) {
    const lineEnd = bytes.indexOf(0x0a, at)
    const numbers = bytes.subarray(at, lineEnd).toString().split(' ').map(Number)
    const [partition, offset, timestamp, keyLength, valueLength] = numbers as [number, number, number, number, number]
    const keyEnd = lineEnd + 1 + Math.max(0, keyLength)
    const valueEnd = keyEnd + Math.max(0, valueLength)
    if (bytes[valueEnd] !== 0x0a) throw new Error(`kcat's output does not read at byte ${at}`)
    const key = keyLength < 0 ? null : bytes.subarray(lineEnd + 1, keyEnd)
    const value = valueLength < 0 ? null : bytes.subarray(keyEnd, valueEnd)
    records.push({ partition, offset, timestamp, key, value })
    at = valueEnd + 1
  }
  return records
}

/** Headers of each record, as text and in their order. */
export async function readHeaders(
  bootstrap: string,
  topic: string,
): Promise<ReadonlyMap<string, readonly (readonly [string, string])[]>> {
  const bytes = await kcat(bootstrap, topic, ['-J'])
  const found = new Map<string, readonly (readonly [string, string])[]>()
  for (const line of bytes.toString().split('\n')) {
    if (line === '') continue
    const { partition, offset, headers = [] } = JSON.parse(line) as Record<string, number> & { headers?: string[] }
    const pairs = Array.from({ length: headers.length / 2 }, (_, i) => headers.slice(2 * i, 2 * i + 2))
    found.set(`${partition}@${offset}`, pairs as unknown as readonly (readonly [string, string])[])
  }
  return found
}

async function kcat(bootstrap: string, topic: string, more: readonly string[]): Promise<Buffer> {
  const child = spawn('kcat', [
    ...['-b', bootstrap, '-C', '-t', topic, '-o', 'beginning', '-e', '-q', '-u'],
    ...['-X', 'isolation.level=read_committed', '-X', 'check.crcs=true', ...more],
  ])
  const status = new Promise<number | null>((resolve, reject) => {
    child.once('error', (cause) => reject(new Error(`kcat could not be started: ${cause.message}`, { cause })))
    child.once('close', resolve)
  })
  const [bytes, errors, code] = await Promise.all([buffer(child.stdout), text(child.stderr), status])
  if (code !== 0) throw new Error(`kcat ended with ${code}:\n${errors}`)
  return bytes
}
