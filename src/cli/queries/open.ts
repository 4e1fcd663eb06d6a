/** Queries of one run: the server, and the engines that answer it, whichever there are just now. */

import type { Engine, EngineParts } from '../../runtime/engine.ts'
import type { Address } from './address.ts'
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
  return {
    ...server,
    answeredBy:
      (start = startHere) =>
      async (parts) => {
        const engines = await start(parts)
        queried = router(
          parts.plan,
          engines.map((engine) => askOf(engine, parts)),
        )
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
