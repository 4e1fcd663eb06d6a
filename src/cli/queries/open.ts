/** Queries of one run: the server, and the engines that answer it, whichever there are just now. */

import type { Engine, EngineParts } from '../../runtime/engine.ts'
import { type Address, addressText, advertised } from './address.ts'
import { type Ask, answerHere } from './answer.ts'
import type { Question } from './question.ts'
import { router } from './router.ts'
import { type Queried, type QueryServer, serveQueries } from './server.ts'

type StartEngines = (parts: EngineParts) => Promise<readonly Engine[]>

export interface Queries extends QueryServer {
  /** Starts engines likewise, without any one in this thread; queries go to the last ones. */
  answeredBy(start: StartEngines | undefined): StartEngines
}

/** @throws StreamError as `serveQueries`. */
export async function openQueries(asked: Address): Promise<Queries> {
  let queried: Queried | undefined
  const server = await serveQueries(asked, () => queried)
  const self = addressText(advertised(server.address))
  return {
    ...server,
    answeredBy:
      (start = startHere) =>
      async (parts) => {
        const { plan, broker, settings } = parts
        const engines = await start({ ...parts, settings: { ...settings, applicationServer: self } })
        queried = router({
          plan,
          engines: engines.map((engine) => askOf(engine, parts)),
          self,
          describeGroup: () => broker.describeGroup(plan.appId),
        })
        return engines
      },
  }
}

async function startHere(parts: EngineParts): Promise<readonly Engine[]> {
  const { startEngine } = await import('../../runtime/engine.ts')
  return [await startEngine(parts)]
}

/** An engine that answers for itself, from where it runs. */
interface Answering extends Engine {
  readonly ask: Ask
}

function askOf(engine: Engine | Answering, { plan }: EngineParts): Ask {
  if ('ask' in engine) return engine.ask
  return async (question: Question) => {
    const { tasks = [], globalTables = new Map() } = engine
    return answerHere({ plan, tasks, globalTables }, question)
  }
}
