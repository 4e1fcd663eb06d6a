/** Our side: one input through one topology, on a test driver of its own. */

import { defineTopology, type StreamsBuilder } from 'streamctl'
import { createTestDriver } from 'streamctl/testing'
import type { JsonRecord } from './record.ts'

/** @param restartBefore numbers of the records before which every task is ended and comes back from what it has committed. */
export async function runStreamctl(
  build: (b: StreamsBuilder) => void,
  input: readonly JsonRecord[],
  restartBefore: readonly number[] = [],
): Promise<readonly JsonRecord[]> {
  const driver = await createTestDriver(defineTopology('parity', build))
  try {
    for (const [nth, { topic, key, value, timestamp, headers }] of input.entries()) {
      if (restartBefore.includes(nth)) await driver.restart()
      const bytes = headers.map(([key, value]) => ({ key, value: Buffer.from(value) }))
      await driver.send(topic, key, value, timestamp, bytes)
    }
    return driver.read().map(({ topic, key, value, timestamp, headers }) => ({
      topic,
      key,
      value,
      timestamp,
      headers: headers.map(({ key, value }) => [key, String(value)] as const),
    }))
  } finally {
    await driver.close()
  }
}
