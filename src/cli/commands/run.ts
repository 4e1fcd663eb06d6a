/** `run`: a topology on a broker until something ends it; whatever that is, what was processed is committed or void, never half. */

import type { Broker } from '../../broker/port.ts'
import { StreamError } from '../../common/errors.ts'
import type { AppOptions, StreamsApp } from '../../runtime/app-options.ts'
import { matchedTopics } from '../../runtime/plan.ts'
import { checkTopicNames, externalTopics } from '../../topology/external-topics.ts'
import type { Topology } from '../../topology/node.ts'
import { chooseBroker, ensureTopics, openBroker } from '../brokers.ts'
import { reportOf } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { loadTopology } from '../load.ts'
import { locatedIn } from '../locate.ts'
import { loopWarnings } from '../loops.ts'
import { addressText } from '../queries/address.ts'
import type { Queries } from '../queries/open.ts'
import { emptyTopics } from '../run/empty-topics.ts'
import { type Binding, bindInputs, checkInputs, type Inputs, openInputs } from '../run/inputs.ts'
import { guardTopology, type LockGuard } from '../run/lock-guard.ts'
import { appOptions, checkCombination, type RunOptions } from '../run/options.ts'
import { type Outputs, openOutputs, outputDecoders } from '../run/outputs.ts'
import { enginesOf, stateDirOf } from '../run/place.ts'
import { checkFiles } from '../run/same-file.ts'
import { type RunView, runView, viewKind } from '../run/view.ts'
import { onStop, type Stopping } from '../signals.ts'
import { timer, within } from '../timer.ts'
import { committingUntil, FirstFailure } from '../user-failure.ts'

const drainMs = 10_000

export async function run(file: string, options: RunOptions, io: Io): Promise<number> {
  const { in: files = [], out = [] } = options
  checkCombination(options)
  await checkFiles(file, options, io)
  const choice = chooseBroker(options.broker, io, files.length > 0)
  const stateDir = stateDirOf(options, choice, io)
  const startEngines = enginesOf(file, options, choice, io)
  const topology = await loadTopology(file, io)
  const app = options.appId ?? topology.name
  const lock = stateDir === null ? undefined : await guardTopology(topology, file, app, options, io)
  const bindings = bindInputs(topology, files)
  for (const { topic } of out) outputDecoders(topology, topic)
  await checkInputs(bindings, io)

  const dataOut = out.some((output) => output.file === '-')
  // Lines typed into a source would be taken for the screen's keys.
  const typed = io.stdin.isTTY === true && files.some((input) => input.file === '-')
  const kind = viewKind(io, { json: options.json ?? false, tui: (options.tui ?? true) && !typed, dataOut })
  const view = runView(kind, io)
  const stopping = onStop(io, () =>
    view.event('draining', 'stopping: commits what is processed; once more to stop at once'),
  )
  const failure = new FirstFailure()
  const broker = committingUntil(failure, await openBroker(choice, io))
  const unwatch = io.onUncaught((error) => failure.note(error))
  let queries: Queries | undefined
  try {
    if (options.queries !== undefined) {
      const { openQueries } = await import('../queries/open.ts')
      queries = await openQueries(options.queries)
      const url = `http://${addressText(queries.address)}/stores`
      view.event('queries', `queries: ${url}`, { url })
    }
    return await new Run({
      topology,
      app,
      broker,
      bindings,
      stateDir,
      startEngines: queries === undefined ? startEngines : queries.answeredBy(startEngines),
      lock,
      options,
      io,
      view,
      stopping,
      failure,
    }).go()
  } catch (thrown) {
    throw locatedIn(thrown, topology)
  } finally {
    stopping.dispose()
    await queries?.close()
    await broker.close()
    unwatch()
  }
}

interface RunParts {
  readonly topology: Topology
  /** The application's id. */
  readonly app: string
  readonly broker: Broker
  readonly bindings: readonly Binding[]
  readonly stateDir: string | null
  readonly startEngines: AppOptions['startEngines']
  /** undefined where no state is kept that could be lost. */
  readonly lock: LockGuard | undefined
  readonly options: RunOptions
  readonly io: Io
  readonly view: RunView
  readonly stopping: Stopping
  readonly failure: FirstFailure
}

/** One run, from the topics to the exit code. */
class Run {
  readonly #parts: RunParts
  #feeding = true

  constructor(parts: RunParts) {
    this.#parts = parts
  }

  async go(): Promise<number> {
    const { topology, app, broker, bindings, lock, options, io, view, stopping, failure } = this.#parts
    // Before one of them is created.
    checkTopicNames(topology, app)
    const { written, global } = externalTopics(topology)
    // A file may be for a topic that only a pattern names.
    const fed = bindings.map(({ topic }) => topic)
    const topics = await ensureTopics(
      broker,
      [...new Set([...(await this.#topicsRead()), ...fed, ...written, ...global])],
      options.partitions,
    )
    const outputs = await openOutputs(broker, topology, options.out ?? [], io)
    const deadline = timer(options.timeout)
    const late = deadline.passed.then(() => tooLate(options.timeout))
    let exit: number = exitCodes.failure
    try {
      view.event('started', `${app}: starting`, { app, broker: broker.address })
      for (const note of lock?.notes ?? []) this.#tell(note)
      for (const { message } of loopWarnings(topology, io.cwd)) view.log('warn', message)
      const inputs = await openInputs(bindings, {
        broker,
        io,
        partitions: (topic) => topics.get(topic)?.partitions ?? 1,
        rate: options.rate,
        going: () => this.#feeding && !stopping.isAsked,
        fed: (topic, records, file) =>
          view.event('fed', `${topic}: ${records} records from ${file}`, { topic, records }),
      })
      await inputs.feedFirst()
      failure.throwIfMet()
      const running = await this.#start(late)
      await this.#untilEnd(running, inputs, outputs, late)
      exit = exitCodes.ok
      return exit
    } catch (thrown) {
      exit = reportOf(thrown).exit
      throw thrown
    } finally {
      deadline.clear()
      this.#feeding = false
      await view.close(exit)
      await outputs.close().catch(() => undefined)
    }
  }

  /** By its sources, and by its patterns just now. */
  async #topicsRead(): Promise<readonly string[]> {
    const { topology, app, broker } = this.#parts
    return [...externalTopics(topology).read, ...(await matchedTopics(topology, app, broker))]
  }

  /** @throws what `late` resolves to, where that is before the app has started. */
  async #start(late: Promise<StreamError>): Promise<StreamsApp> {
    const { topology, app, broker, stateDir, startEngines, lock, options, view, stopping } = this.#parts
    const { startApp } = await import('../../runtime/app.ts')
    const starting = startApp(topology, {
      ...appOptions(options),
      broker,
      appId: app,
      stateDir,
      log: view.log,
      ...(startEngines === undefined ? {} : { startEngines }),
    })
    const running = await Promise.race([starting, late])
    if (running instanceof StreamError) {
      starting.then(
        (app) => app.stop(),
        () => undefined,
      )
      throw running
    }
    // A failure is met where it is awaited; until then it must not count as unhandled.
    running.ended.catch(() => undefined)
    const kept = await lock?.keep()
    if (kept !== undefined) this.#tell(kept)
    await view.show(running, (how) => (how === 'stop' ? stopping.ask() : stopping.force()))
    return running
  }

  /** About the lock: also after a screen, and as an event. */
  #tell(message: string): void {
    this.#parts.view.event('lock', message, { message })
  }

  /**
   * However the run ends, what is processed is committed and shown.
   * @throws what ended it; what `late` resolves to, where that ended it and it came to rest.
   */
  async #untilEnd(app: StreamsApp, inputs: Inputs, outputs: Outputs, late: Promise<StreamError>): Promise<void> {
    let timeout: StreamError | undefined
    try {
      timeout = await Promise.race([this.#ended(app, inputs, outputs), late])
    } catch (thrown) {
      await this.#drain(app, outputs).catch(() => undefined)
      throw thrown
    }
    await this.#drain(app, outputs)
    this.#parts.failure.throwIfMet()
    if (timeout !== undefined) throw timeout
  }

  /** Settles when something ends the run, other than its time. */
  async #ended(app: StreamsApp, inputs: Inputs, outputs: Outputs): Promise<undefined> {
    const { broker, options, io, view, stopping, failure } = this.#parts
    const work = async (): Promise<void> => {
      await inputs.feedRest()
      if (options.until === undefined) return new Promise<never>(() => undefined)
      await app.caughtUp()
      for (const topic of await emptyTopics(broker, await this.#topicsRead())) {
        view.log('warn', `the topic ${topic} is empty, so it is caught up at once`)
      }
      view.event('caught-up', 'caught up')
    }
    await Promise.race([app.ended, work(), outputs.failed, failure.met, stopping.asked, io.out.closing])
  }

  /** Commits, leaves, and shows what was committed last. */
  async #drain(app: StreamsApp, outputs: Outputs): Promise<void> {
    this.#feeding = false
    await within(
      drainMs,
      app.stop().then(() => outputs.finish()),
      (seconds) =>
        new StreamError('TIMEOUT', `the app did not come to rest within ${seconds} s`, {
          hint: 'What was not committed is void and will be processed again at the next start.',
        }),
    )
  }
}

function tooLate(timeoutMs = 0): StreamError {
  return new StreamError('TIMEOUT', `not caught up after ${timeoutMs / 1000} s; what is processed is committed`, {
    hint: 'Give more time with --timeout; the next run goes on where this one ended.',
  })
}
