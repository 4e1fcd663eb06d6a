/** One process of the ledger application as a test starts it: its own connection, state directory and faults. */

import type { EmbeddedBroker } from '../../src/broker/embedded/broker.ts'
import { startApp } from '../../src/runtime/app.ts'
import type { AppOptions, StreamsApp } from '../../src/runtime/app-options.ts'
import { type Delay, type Fault, type FaultyBroker, faultyBroker, type Step } from './faulty-broker.ts'
import { ledger } from './ledger.ts'

export interface LedgerProcess {
  readonly app: StreamsApp
  readonly faulty: FaultyBroker
  readonly log: readonly string[]
  /** As kill -9: nothing more reaches the broker, and the state directory is free. */
  crash(): Promise<void>
}

export async function startLedger(
  cluster: EmbeddedBroker,
  stateDir: string | null,
  decide: (step: Step, call: number) => Fault | Delay | undefined = () => undefined,
  options: Partial<AppOptions> = {},
): Promise<LedgerProcess> {
  const faulty = faultyBroker(cluster.connect(), decide)
  const log: string[] = []
  const app = await startApp(ledger, {
    broker: faulty.broker,
    stateDir,
    commitIntervalMs: 5,
    // What a dead process left open holds readers up for this long.
    transactionTimeoutMs: 2000,
    log: (level, message) => log.push(`${level} ${message}`),
    ...options,
  })
  return {
    app,
    faulty,
    log,
    crash: async () => {
      faulty.kill()
      await app.stop().catch(() => undefined)
    },
  }
}

/** Fails the given call of one step, once. */
export function once(step: Step, call: number, fault: Fault | Delay) {
  return (asked: Step, number: number) => (asked === step && number === call ? fault : undefined)
}
