/** One real Kafka node (KRaft) as a child process; neither it nor its directory outlives the process that started it. */
import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { kafkaJars } from './jars.ts'
import { javaTools, runJavaTool } from './java-tool.ts'

export interface KafkaOptions {
  /** Port for clients; default: a free one. */
  readonly port?: number | undefined
  /** Java heap, as `-Xmx` takes it; default `1g`. */
  readonly heap?: string | undefined
  /** Broker settings that replace or add to the defaults below. */
  readonly config?: Readonly<Record<string, string | number | boolean>> | undefined
  /** Leave the directory with data and log after `stop()`; default false. */
  readonly keep?: boolean | undefined
}

export interface Kafka {
  /** `host:port` for clients; stays the same over `restart()`. */
  readonly bootstrap: string
  /** The jars the broker runs from: broker, console tools, Kafka Streams and its test driver. */
  readonly libDir: string
  /** Data, `server.properties` and `kafka.log`. */
  readonly directory: string
  /** Resolves when the broker's process has ended, for whatever reason. */
  ended(): Promise<void>
  /** Shuts the broker down and removes its directory unless `keep`. Safe to call twice. */
  stop(): Promise<void>
  /** SIGKILL, as a crash would: the directory stays for `restart()`. */
  kill(): void
  /** Starts the broker again on the same data and port, shutting it down first if it runs. */
  restart(): Promise<void>
}

const HOST = '127.0.0.1'
const START_TIMEOUT_MS = 90_000
const STOP_TIMEOUT_MS = 20_000

/** Formats a fresh directory and starts a broker in it; resolves when it takes requests. Throws with the end of its log when it does not start. */
export async function startKafka(options: KafkaOptions = {}): Promise<Kafka> {
  const libDir = await kafkaJars()
  const directory = await mkdtemp(join(tmpdir(), 'streamctl-kafka-'))
  const port = options.port ?? (await freePort())
  const settings = { ...defaults(directory, port, await freePort()), ...options.config }
  const properties = join(directory, 'server.properties')
  const logFile = join(directory, 'kafka.log')
  const guard = startGuard(options.keep ? undefined : directory)
  let running: Running | undefined

  const start = async (): Promise<void> => {
    running = launch(libDir, options.heap ?? '1g', properties, logFile, guard.stdin)
    await ready(running, port, logFile)
  }
  const shutDown = async (): Promise<void> => {
    if (!running) return
    running.java.kill('SIGTERM')
    const stopped = await Promise.race([running.ended.then(() => true), delay(STOP_TIMEOUT_MS, false, { ref: false })])
    if (!stopped) running.java.kill('SIGKILL')
    await running.ended
  }
  const stop = async (): Promise<void> => {
    await shutDown()
    if (!options.keep) await rm(directory, { recursive: true, force: true })
    guard.kill('SIGKILL')
  }

  try {
    await writeFile(
      properties,
      Object.entries(settings)
        .map(([key, value]) => `${key}=${value}\n`)
        .join(''),
    )
    // In hex: an id that begins with a dash would be taken for an option.
    const clusterId = Buffer.from(randomBytes(8).toString('hex')).toString('base64url')
    await runJavaTool(javaTools.storage, ['format', '-t', clusterId, '-c', properties])
    await start()
  } catch (error) {
    running?.java.kill('SIGKILL')
    await stop()
    throw error
  }

  return {
    bootstrap: `${HOST}:${port}`,
    libDir,
    directory,
    ended: async () => running?.ended,
    stop,
    kill: () => void running?.java.kill('SIGKILL'),
    restart: async () => {
      await shutDown()
      await start()
    },
  }
}

/** The settings of one node on which transactions and groups work at once, with nothing replicated. */
function defaults(directory: string, port: number, controllerPort: number): Record<string, string | number | boolean> {
  return {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@${HOST}:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://${HOST}:${port},CONTROLLER://${HOST}:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://${HOST}:${port}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': join(directory, 'data'),
    'auto.create.topics.enable': false,
    // After a crash the node may register again only when its old session has run out (default 9 s).
    'broker.session.timeout.ms': 4000,
    'broker.heartbeat.interval.ms': 500,
    'default.replication.factor': 1,
    'group.initial.rebalance.delay.ms': 0,
    'offsets.topic.num.partitions': 8,
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.num.partitions': 8,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
  }
}

interface Running {
  readonly java: ChildProcess
  readonly ended: Promise<void>
}

function launch(lib: string, heap: string, properties: string, logFile: string, guard: Writable): Running {
  const logging = [
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
    '-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info',
    '-Dorg.slf4j.simpleLogger.showDateTime=true',
    '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS',
  ]
  const log = openSync(logFile, 'w')
  // Its own process group: Ctrl-C reaches the broker through stop(), never beside it.
  const java = spawn('java', [`-Xmx${heap}`, ...logging, '-cp', join(lib, '*'), 'kafka.Kafka', properties], {
    detached: true,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  if (java.pid !== undefined) guard.write(`${java.pid}\n`)
  const ended = new Promise<void>((resolve) => {
    java.once('error', () => resolve())
    java.once('exit', () => resolve())
  }).then(() => void guard.write('\n'))
  return { java, ended }
}

/** Ends the broker and removes its directory when this process goes without a word: its end closes the guard's stdin. */
function startGuard(temporary: string | undefined): ChildProcessByStdio<Writable, null, null> {
  const script = `
    while read -r line; do pid=$line; done
    if [ -n "$pid" ]; then
      kill -9 "$pid"
      for i in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$pid" && sleep 0.2; done
    fi
    [ -z "$0" ] || rm -rf "$0"`
  const guard = spawn('sh', ['-c', script, temporary ?? ''], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  guard.stdin.on('error', () => {})
  guard.unref()
  return guard
}

async function ready(running: Running, port: number, logFile: string): Promise<void> {
  let over = false
  void running.ended.then(() => {
    over = true
  })
  const deadline = Date.now() + START_TIMEOUT_MS
  while (!over && Date.now() < deadline) {
    if ((await readFile(logFile, 'utf8')).includes('Kafka Server started') && (await accepts(port))) return
    await delay(50)
  }
  const log = (await readFile(logFile, 'utf8')).split('\n').slice(-40).join('\n')
  throw new Error(`Kafka ${over ? 'ended while starting' : `did not start within ${START_TIMEOUT_MS} ms`}:\n${log}`)
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, HOST)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** Below the range outgoing connections take theirs from, else a client could hold the port while the broker restarts. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(15_000, 32_000)
    const server = createServer()
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false))
      server.listen(port, HOST, () => resolve(true))
    })
    if (!free) continue
    server.close()
    await once(server, 'close')
    return port
  }
}
