/** Entry of an engine thread: loads the topology for itself, connects for itself, and runs one engine until told to stop. */

import { Writable } from 'node:stream'
import { parentPort, workerData } from 'node:worker_threads'
import { connectKafka } from '../broker/kafka/broker.ts'
import { systemClock } from '../common/time.ts'
import { startEngine } from '../runtime/engine.ts'
import { planWith } from '../runtime/plan.ts'
import { openSerdes } from '../runtime/serdes.ts'
import { loadTopology } from './load.ts'
import { locatedIn } from './locate.ts'
import { errorData, type FromThread, type ThreadStart, type ToThread } from './thread-messages.ts'

/** ms between two snapshots: the screen asks once a second. */
const snapshotEveryMs = 500

const start = workerData as ThreadStart
const post = (message: FromThread) => parentPort?.postMessage(message)

// What the loader has to say was said in the main thread.
const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
const topology = await loadTopology(start.file, { cwd: process.cwd(), stderr: silent })
try {
  const broker = await connectKafka({ bootstrap: start.bootstrap })
  try {
    await openSerdes(topology)
    const engine = await startEngine({
      plan: planWith(topology, start.appId, start.external),
      broker,
      settings: start.settings,
      clock: systemClock,
      log: (level, message) => post({ kind: 'log', level, message }),
    })
    parentPort?.on('message', (message: ToThread) => {
      if (message.kind === 'stop') engine.stop()
    })
    const tell = () => post({ kind: 'snapshot', snapshot: engine.snapshot() })
    tell()
    const telling = setInterval(tell, snapshotEveryMs)
    try {
      await engine.ended
    } finally {
      clearInterval(telling)
      tell()
    }
  } finally {
    await broker.close()
  }
  post({ kind: 'ended', error: null })
} catch (thrown) {
  post({ kind: 'ended', error: errorData(locatedIn(thrown, topology)) })
} finally {
  parentPort?.close()
}
