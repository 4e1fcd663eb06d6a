/** `run`: a topology on a broker until something ends it; whatever that is, what was processed is committed or void, never half. */

import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Broker } from '../../broker/port.ts'
import { StreamError } from '../../common/errors.ts'
import { partitionsOf } from '../../common/record.ts'
import type { AppOptions, StreamsApp } from '../../runtime/app-options.ts'
import { matchedTopics } from '../../runtime/plan.ts'
import { checkTopicNames, externalTopics } from '../../topology/external-topics.ts'
import type { Topology } from '../../topology/node.ts'
import { type BrokerChoice, chooseBroker, ensureTopics, openBroker } from '../brokers.ts'
import { reportOf, UsageError } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { feed, inputOf, nameOfInput, type Target } from '../feed.ts'
import type { Io } from '../io.ts'
import { readLines } from '../lines.ts'
import { loadTopology } from '../load.ts'
import { locatedIn } from '../locate.ts'
import { guardTopology, type LockGuard } from '../lock-guard.ts'
import { loopWarnings } from '../loops.ts'
import type { TopicConfig, TopicFile } from '../options.ts'
import { isEmptyRange, type Outputs, openOutputs, outputDecoders } from '../outputs.ts'
import { pace } from '../pace.ts'
import { type Address, addressText } from '../queries/address.ts'
import type { Queries } from '../queries/open.ts'
import { formatOfFile, parseRecord } from '../records.ts'
import { type RunView, runView, viewKind } from '../run-view.ts'
import { onStop, type Stopping } from '../signals.ts'
import { inThreads } from '../threads.ts'
import { timer, within } from '../timer.ts'
import { mustKnow } from '../topic-serdes.ts'
import { committingUntil, FirstFailure } from '../user-failure.ts'

export interface RunOptions {
  readonly broker?: string | undefined
  readonly appId?: string | undefined
  readonly in?: readonly TopicFile[] | undefined
  readonly out?: readonly TopicFile[] | undefined
  /** Records a second of each --in file. */
  readonly rate?: number | undefined
  readonly until?: 'caught-up' | undefined
  readonly timeout?: number | undefined
  readonly commitInterval?: number | undefined
  /** MiB. */
  readonly stateMemory?: number | undefined
  /** Copies of each task's state. */
  readonly standbys?: number | undefined
  readonly stateDir?: string | undefined
  readonly from?: 'earliest' | 'latest' | undefined
  /** ms. */
  readonly metadataMaxAge?: number | undefined
  readonly partitions?: number | undefined
  /** Of internal topics that are created. */
  readonly topicConfig?: readonly TopicConfig[] | undefined
  readonly instanceId?: string | undefined
  readonly sessionTimeout?: number | undefined
  /** Engine threads. */
  readonly workers?: number | undefined
  /** Where queries over HTTP are answered. */
  readonly queries?: Address | undefined
  /** Runs what the lock says needs a reset. */
  readonly acceptTopology?: boolean | undefined
  readonly tui?: boolean | undefined
  readonly json?: boolean | undefined
}

const drainMs = 10_000

export async function run(file: string, options: RunOptions, io: Io): Promise<number> {
  const inputs = options.in ?? []
  const outputs = options.out ?? []
  checkCombination(options, inputs, outputs)
  const choice = chooseBroker(options.broker, io, inputs.length > 0)
  const stateDir = stateDirOf(options, choice, io)
  const startEngines = enginesOf(file, options, choice, io)
  const topology = await loadTopology(file, io)
  const lock = stateDir === null ? undefined : await guardTopology(topology, file, options, io)
  const targets = inputs.map(({ topic, file }) => ({ file, topic, ...serdesFor(topology, topic) }))
  for (const { topic } of outputs) outputDecoders(topology, topic)
  for (const target of targets) await checkFile(target, io)

  const dataOut = outputs.some((output) => output.file === '-')
  // Lines typed into a source would be taken for the screen's keys.
  const typed = io.stdin.isTTY === true && inputs.some((input) => input.file === '-')
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
    return await new Run(topology, broker, options, io, view, stopping, failure, lock).go(
      targets,
      stateDir,
      queries === undefined ? startEngines : queries.answeredBy(startEngines),
    )
  } catch (thrown) {
    throw locatedIn(thrown, topology)
  } finally {
    stopping.dispose()
    await queries?.close()
    await broker.close()
    unwatch()
  }
}

type StartEngines = AppOptions['startEngines']

/**
 * On Kafka the engines have threads of their own, so that a busy one delays neither the screen nor another's heartbeats. The
 * embedded broker lives in this thread, and so does what runs on it.
 */
function enginesOf(file: string, options: RunOptions, choice: BrokerChoice, io: Io): StartEngines {
  if (choice.kind === 'kafka') {
    return inThreads({ workers: options.workers ?? 1, file: resolve(io.cwd, file), bootstrap: choice.bootstrap })
  }
  if (options.workers === undefined || options.workers === 1) return undefined
  throw new UsageError(
    `--workers ${options.workers} needs Kafka`,
    'The embedded broker runs one worker; give --broker host:9092.',
  )
}

interface FileTarget extends Omit<Target, 'partitions'> {
  readonly file: string
}

type Outcome = 'caught-up' | 'asked' | 'timeout' | 'closed' | 'ended'

/** One run, from the topics to the exit code. */
class Run {
  readonly #topology: Topology
  readonly #broker: Broker
  readonly #options: RunOptions
  readonly #io: Io
  readonly #view: RunView
  readonly #stopping: Stopping
  readonly #failure: FirstFailure
  readonly #lock: LockGuard | undefined
  #feeding = true

  constructor(
    topology: Topology,
    broker: Broker,
    options: RunOptions,
    io: Io,
    view: RunView,
    stopping: Stopping,
    failure: FirstFailure,
    lock: LockGuard | undefined,
  ) {
    this.#topology = topology
    this.#broker = broker
    this.#options = options
    this.#io = io
    this.#view = view
    this.#stopping = stopping
    this.#failure = failure
    this.#lock = lock
  }

  async go(targets: readonly FileTarget[], stateDir: string | null, startEngines: StartEngines): Promise<number> {
    const { read, written, global } = externalTopics(this.#topology)
    const app = this.#options.appId ?? this.#topology.name
    // Before one of them is created.
    checkTopicNames(this.#topology, app)
    const matched = await matchedTopics(this.#topology, app, this.#broker)
    // A file may be for a topic that only a pattern names.
    const fed = targets.map(({ topic }) => topic)
    const topics = await ensureTopics(
      this.#broker,
      [...new Set([...read, ...matched, ...fed, ...written, ...global])],
      this.#options.partitions,
    )
    const outputs = await openOutputs(this.#broker, this.#topology, this.#options.out ?? [], this.#io)
    const deadline = timer(this.#options.timeout)
    let exit: number = exitCodes.failure
    try {
      this.#view.event('started', `${app}: starting`, { app, broker: this.#broker.address })
      for (const note of this.#lock?.notes ?? []) this.#tell(note)
      for (const { message } of loopWarnings(this.#topology, this.#io.cwd)) this.#view.log('warn', message)
      const counted = targets.map((target) => ({ ...target, partitions: topics.get(target.topic)?.partitions ?? 1 }))
      // Files first: with all of it there, records of several topics are taken in the order of their timestamps. At a
      // rate they come while the app runs, as pipes do.
      const atOnce = this.#options.rate === undefined
      const files = await partition(counted, async ({ file }) => atOnce && (await isRegularFile(file, this.#io)))
      await this.#feed(files.yes)
      this.#failure.throwIfMet()
      const running = await this.#start(app, stateDir, startEngines, deadline.passed)
      if (running === null) this.#mustBeInTime('timeout')
      else this.#mustBeInTime(await this.#untilEnd(running, outputs, files.no, deadline.passed))
      exit = exitCodes.ok
      return exit
    } catch (thrown) {
      exit = reportOf(thrown).exit
      throw thrown
    } finally {
      deadline.clear()
      this.#feeding = false
      await this.#view.close(exit)
      await outputs.close().catch(() => undefined)
    }
  }

  async #start(
    app: string,
    stateDir: string | null,
    startEngines: StartEngines,
    late: Promise<void>,
  ): Promise<StreamsApp | null> {
    const { startApp } = await import('../../runtime/app.ts')
    const { commitInterval, stateMemory, standbys, instanceId, sessionTimeout, from, metadataMaxAge, topicConfig } =
      this.#options
    const starting = startApp(this.#topology, {
      broker: this.#broker,
      appId: app,
      stateDir,
      log: this.#view.log,
      ...(commitInterval === undefined ? {} : { commitIntervalMs: commitInterval }),
      ...(stateMemory === undefined ? {} : { stateMemoryBytes: stateMemory * 1024 * 1024 }),
      ...(standbys === undefined ? {} : { standbys }),
      ...(instanceId === undefined ? {} : { instanceId }),
      ...(sessionTimeout === undefined ? {} : { sessionTimeoutMs: sessionTimeout }),
      ...(from === undefined ? {} : { from }),
      ...(metadataMaxAge === undefined ? {} : { metadataMaxAgeMs: metadataMaxAge }),
      ...(topicConfig && { topicConfigs: Object.fromEntries(topicConfig.map(({ name, value }) => [name, value])) }),
      ...(startEngines === undefined ? {} : { startEngines }),
    })
    const running = await Promise.race([starting, late.then(() => null)])
    if (running === null) {
      starting.then(
        (app) => app.stop(),
        () => undefined,
      )
      return null
    }
    // A failure is met where it is awaited; until then it must not count as unhandled.
    running.ended.catch(() => undefined)
    const kept = await this.#lock?.keep()
    if (kept !== undefined) this.#tell(kept)
    await this.#view.show(running, (how) => (how === 'stop' ? this.#stopping.ask() : this.#stopping.force()))
    return running
  }

  /** About the lock: also after a screen, and as an event. */
  #tell(message: string): void {
    this.#view.event('lock', message, { message })
  }

  /** However the run ends, what is processed is committed and shown. */
  async #untilEnd(
    app: StreamsApp,
    outputs: Outputs,
    late: readonly (FileTarget & Target)[],
    timeout: Promise<void>,
  ): Promise<Outcome> {
    let outcome: Outcome
    try {
      outcome = await this.#firstOutcome(app, outputs, late, timeout)
    } catch (thrown) {
      await this.#drain(app, outputs).catch(() => undefined)
      throw thrown
    }
    await this.#drain(app, outputs)
    this.#failure.throwIfMet()
    return outcome
  }

  #firstOutcome(
    app: StreamsApp,
    outputs: Outputs,
    late: readonly (FileTarget & Target)[],
    timeout: Promise<void>,
  ): Promise<Outcome> {
    const work = async (): Promise<Outcome> => {
      await this.#feedLate(late)
      if (this.#options.until === undefined) return new Promise<never>(() => undefined)
      await app.caughtUp()
      await this.#warnOfEmptyTopics()
      this.#view.event('caught-up', 'caught up')
      return 'caught-up'
    }
    return Promise.race([
      app.ended.then((): Outcome => 'ended'),
      work(),
      outputs.failed,
      this.#failure.met,
      this.#stopping.asked.then((): Outcome => 'asked'),
      timeout.then((): Outcome => 'timeout'),
      this.#io.out.closing.then((): Outcome => 'closed'),
    ])
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

  /** One after another; at a rate side by side, since each would otherwise wait for the end of the one before. */
  async #feedLate(targets: readonly (FileTarget & Target)[]): Promise<void> {
    if (this.#options.rate === undefined) return this.#feed(targets)
    await Promise.all(targets.map((target) => this.#feed([target])))
  }

  async #feed(targets: readonly (FileTarget & Target)[]): Promise<void> {
    if (targets.length === 0) return
    const producer = await this.#broker.plainProducer()
    try {
      for (const target of targets) {
        const name = nameOfInput(target.file)
        const going = (): boolean => this.#feeding && !this.#stopping.isAsked
        const source = inputOf(target.file, this.#io)
        const held = this.#options.rate === undefined ? undefined : pace(this.#options.rate)
        const count = await feed(producer, target, source, name, formatOfFile(target.file), going, held)
        this.#view.event('fed', `${target.topic}: ${count} records from ${name}`, {
          topic: target.topic,
          records: count,
        })
      }
    } finally {
      await producer.close()
    }
  }

  async #warnOfEmptyTopics(): Promise<void> {
    const { read } = externalTopics(this.#topology)
    const app = this.#options.appId ?? this.#topology.name
    const matched = await matchedTopics(this.#topology, app, this.#broker)
    for (const [topic, { partitions }] of await this.#broker.topics([...read, ...matched])) {
      const all = partitionsOf(topic, partitions)
      const start = await this.#broker.offsets(all, 'earliest')
      if (isEmptyRange(start, await this.#broker.offsets(all, 'stable'))) {
        this.#view.log('warn', `the topic ${topic} is empty, so it is caught up at once`)
      }
    }
  }

  #mustBeInTime(outcome: Outcome): void {
    if (outcome !== 'timeout') return
    throw new StreamError(
      'TIMEOUT',
      `not caught up after ${(this.#options.timeout ?? 0) / 1000} s; what is processed is committed`,
      {
        hint: 'Give more time with --timeout; the next run goes on where this one ended.',
      },
    )
  }
}

function checkCombination(options: RunOptions, inputs: readonly TopicFile[], outputs: readonly TopicFile[]): void {
  if (inputs.filter((input) => input.file === '-').length > 1) {
    throw new UsageError('stdin is bound to two topics', 'Bind it to one: --in topic=-.')
  }
  for (const [flag, files] of [
    ['--in', inputs.map((input) => input.topic)],
    ['--out', outputs.map((output) => output.topic)],
  ] as const) {
    const twice = files.find((topic, index) => files.indexOf(topic) !== index)
    if (twice !== undefined) throw new UsageError(`${flag} names the topic ${twice} twice`, 'Name each topic once.')
  }
  const configs = (options.topicConfig ?? []).map(({ name }) => name)
  const twice = configs.find((name, index) => configs.indexOf(name) !== index)
  if (twice !== undefined) throw new UsageError(`--topic-config gives ${twice} twice`, 'Give each config once.')
  if (options.json === true && outputs.some((output) => output.file === '-')) {
    throw new UsageError(
      '--json and --out topic=- both write to stdout',
      'Write the results to a file, or leave --json out.',
    )
  }
  if (options.rate !== undefined && inputs.length === 0) {
    throw new UsageError('--rate says how fast --in is fed, which is not given', 'Add --in topic=file.')
  }
  if (options.timeout !== undefined && options.until === undefined) {
    throw new UsageError('--timeout says how long to wait for --until, which is not given', 'Add --until caught-up.')
  }
}

/** State belongs to its broker: rows from one would be wrong on another. */
function stateDirOf(options: RunOptions, choice: BrokerChoice, io: Io): string | null {
  if (choice.kind === 'kafka') return resolve(io.cwd, options.stateDir ?? '.streamctl/state')
  if (choice.dir !== null)
    return options.stateDir === undefined ? resolve(choice.dir, 'state') : resolve(io.cwd, options.stateDir)
  if (options.stateDir === undefined) return null
  throw new UsageError(
    '--state-dir keeps what the broker in memory forgets',
    'Leave --state-dir out, or keep the broker too: --broker embedded.',
  )
}

function serdesFor(topology: Topology, topic: string): Pick<Target, 'key' | 'value'> {
  const { key, value } = mustKnow(topology, topic, 'source')
  return { key, value }
}

/** Pipes are read while the app runs, files before. */
async function isRegularFile(file: string, io: Io): Promise<boolean> {
  if (file === '-') return false
  const found = await stat(resolve(io.cwd, file))
  if (found.isDirectory()) throw new UsageError(`${file} is a directory`, 'Name a file of records, one on each line.')
  return found.isFile()
}

/** Reads a file once before anything is written: a bad line leaves no half of it on the topic. */
async function checkFile(target: FileTarget, io: Io): Promise<void> {
  if (!(await isRegularFile(target.file, io))) return
  const format = formatOfFile(target.file)
  for await (const lines of readLines(inputOf(target.file, io), target.file)) {
    for (const line of lines) parseRecord(line, target.file, format, target)
  }
}

async function partition<T>(items: readonly T[], test: (item: T) => Promise<boolean>): Promise<{ yes: T[]; no: T[] }> {
  const yes: T[] = []
  const no: T[] = []
  for (const item of items) ((await test(item)) ? yes : no).push(item)
  return { yes, no }
}
