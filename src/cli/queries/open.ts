/** Queries of one run: the server, and the engines that answer it, whichever there are just now. */

import type { Engine, EngineParts } from '../../runtime/engine.ts'
import { type Address, addressText, advertised } from './address.ts'
import { type Ask, askOf } from './answer.ts'
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
    answeredBy: (start) => async (parts) => {
      const { plan, broker, settings } = parts
      const startEngines = start ?? (await import('../../runtime/app.ts')).startHere
      const engines = await startEngines({ ...parts, settings: { ...settings, applicationServer: self } })
      queried = router({
        plan,
        engines: engines.map((engine: Engine | Answering) => ('ask' in engine ? engine.ask : askOf(engine, plan))),
        self,
        describeGroup: () => broker.describeGroup(plan.appId),
      })
      return engines
    },
  }
}

/** An engine that answers for itself, from where it runs. */
interface Answering extends Engine {
  readonly ask: Ask
}
