/** Gives every broker test one real Kafka: the cluster named by STREAMCTL_TEST_BROKER, else a node of its own. Without either the run fails. */
import { once } from 'node:events'
import { connect } from 'node:net'
import type { TestProject } from 'vitest/node'
import { startKafka } from '../../tools/kafka/kafka.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** `host:port` of the broker under test. */
    readonly bootstrap: string
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const existing = process.env.STREAMCTL_TEST_BROKER
  if (existing) {
    await mustAnswer(existing)
    project.provide('bootstrap', existing)
    return async () => {}
  }
  const kafka = await startKafka()
  project.provide('bootstrap', kafka.bootstrap)
  return () => kafka.stop()
}

async function mustAnswer(bootstrap: string): Promise<void> {
  const [, host, port] = /^(.+):(\d+)$/.exec(bootstrap.split(',')[0] ?? '') ?? []
  if (!host || !port) throw new Error(`STREAMCTL_TEST_BROKER must be host:port, not '${bootstrap}'.`)
  const socket = connect(Number(port), host)
  try {
    await once(socket, 'connect')
  } catch (cause) {
    throw new Error(`No broker answers at STREAMCTL_TEST_BROKER=${bootstrap}.`, { cause })
  } finally {
    socket.destroy()
  }
}
