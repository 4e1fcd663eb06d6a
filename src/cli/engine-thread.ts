/** Entry of an engine thread: loads the topology for itself, connects for itself, and runs one engine until told to stop. */

import { Writable } from 'node:stream'
import { parentPort, workerData } from 'node:worker_threads'
import { connectKafka } from '../broker/kafka/broker.ts'
import { messageOf, StreamError } from '../common/errors.ts'
import { systemClock } from '../common/time.ts'
import { startEngine } from '../runtime/engine.ts'
import { planWith } from '../runtime/plan.ts'
import { openSerdes } from '../runtime/serdes.ts'
import type { Topology } from '../topology/node.ts'
import { loadTopology } from './load.ts'
import { locatedIn } from './locate.ts'
import { askOf } from './queries/answer.ts'
import type { Question } from './queries/question.ts'
import { errorData, type FromThread, type ThreadStart, type ToThread } from './thread-messages.ts'
import { committingUntil, FirstFailure, type Uncaught, userFailure } from './user-failure.ts'

/** ms between two snapshots: the screen asks once a second. */
const snapshotEveryMs = 500
/** ms between two looks at the state; a change of it is told at once. */
const lookEveryMs = 10

const start = workerData as ThreadStart
const post = (message: FromThread) => parentPort?.postMessage(message)

// What the loader has to say was said in the main thread.
const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
const failure = new FirstFailure()
const crash = (thrown: unknown, how: Uncaught): void => {
  const users = userFailure(thrown, how)
  if (users !== undefined) {
    failure.note(users)
    return
  }
  const bug = new StreamError('INTERNAL', `an engine thread died: ${messageOf(thrown)}`)
  if (thrown instanceof Error && thrown.stack !== undefined) bug.stack = thrown.stack
  post({ kind: 'ended', error: errorData(bug) })
}
process.on('uncaughtException', (thrown) => crash(thrown, 'uncaughtException'))
process.on('unhandledRejection', (thrown) => crash(thrown, 'unhandledRejection'))

let topology: Topology | undefined
try {
  topology = await loadTopology(start.file, { cwd: process.cwd(), stderr: silent })
  const broker = committingUntil(failure, await connectKafka({ bootstrap: start.bootstrap }))
  try {
    await openSerdes(topology)
    const plan = planWith(topology, start.appId, start.external)
    const engine = await startEngine({
      plan,
      broker,
      settings: start.settings,
      clock: systemClock,
      log: (level, message) => post({ kind: 'log', level, message }),
    })
    const ask = askOf(engine, plan)
    const answer = async (query: number, question: Question): Promise<void> => {
      try {
        post({ kind: 'answer', query, answer: await ask(question) })
      } catch (thrown) {
        post({ kind: 'answer', query, error: errorData(thrown) })
      }
    }
    parentPort?.on('message', (message: ToThread) => {
      if (message.kind === 'stop') engine.stop()
      else void answer(message.query, message.question)
    })
    failure.met.catch(() => engine.stop())
    let told = engine.state
    const tell = () => {
      told = engine.state
      post({ kind: 'snapshot', snapshot: engine.snapshot() })
    }
    tell()
    const telling = setInterval(tell, snapshotEveryMs)
    const looking = setInterval(() => {
      if (engine.state !== told) tell()
    }, lookEveryMs)
    try {
      await engine.ended
      failure.throwIfMet()
    } finally {
      clearInterval(telling)
      clearInterval(looking)
      tell()
    }
  } finally {
    await broker.close()
  }
  post({ kind: 'ended', error: null })
} catch (thrown) {
  post({ kind: 'ended', error: errorData(topology === undefined ? thrown : locatedIn(thrown, topology)) })
} finally {
  parentPort?.close()
}
