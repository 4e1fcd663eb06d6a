/** The command tree: names, options and their help; each command's code is loaded only when it is called. */

import { Command, CommanderError, type HelpConfiguration } from '@commander-js/extra-typings'
import { formatNames } from '../serde/formats.ts'
import { UsageError } from './errors.ts'
import { exitCodes } from './exit-codes.ts'
import type { Io } from './io.ts'
import {
  collect,
  duration,
  legalName,
  once,
  oneOf,
  startAt,
  text,
  topicConfig,
  topicFile,
  wholeNumber,
} from './options.ts'
import { address } from './queries/address.ts'

const brokerHelp =
  'host:9092[,..] for Kafka; embedded, embedded:memory or embedded:DIR (default: STREAMCTL_BROKER, else embedded)'
const serdeHelp = `${formatNames.join(', ')}`
const delimiterOf = (value: string): string => text(value.replaceAll('\\t', '\t'))
const caughtUp = oneOf('caught-up')

/** Wide enough for the longest option, and the same on every terminal and in every pipe. */
const help: HelpConfiguration = { helpWidth: 100 }

/**
 * Runs a command line.
 * @returns the exit code.
 * @throws UsageError for a command line that is not valid; whatever a command throws.
 */
export async function runProgram(args: readonly string[], version: string, io: Io): Promise<number> {
  let exit: number = exitCodes.ok
  const program = new Command('streamctl')
    .description('Kafka Streams for Node: run typed topologies with local state, exactly once.')
    .version(version, '-V, --version')
    .configureHelp(help)
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({
      writeOut: (words) => void io.out.text(words),
      // What commander would print is told once, as every other error.
      writeErr: () => undefined,
    })
    .addHelpText(
      'after',
      '\nExample:\n  streamctl run topology.ts --in lines=input.txt --out word-counts=- --until caught-up\n',
    )

  const command = <N extends string>(name: N, description: string) =>
    program
      .command(name)
      .description(description)
      .configureHelp(help)
      .exitOverride()
      .allowExcessArguments(false)
      .option('--json', 'JSON on stdout; errors as one JSON line on stderr')
      .option('--debug', 'errors with their stack')

  command('run <topology>', 'Run a topology; on a terminal with a live screen')
    .option('--broker <address>', brokerHelp, once(text))
    .option(
      '--app-id <name>',
      "application id: group, state and internal topics (default: the topology's name)",
      once(legalName),
    )
    .option('--in <topic=file>', 'feed a file (or - for stdin) into a source topic; repeatable', collect(topicFile))
    .option(
      '--rate <n>',
      'records a second from each --in, while the app runs (default: files at once, before it starts)',
      once(wholeNumber(1, 1_000_000)),
    )
    .option('--out <topic=file>', 'write committed results to a file (or - for stdout); repeatable', collect(topicFile))
    .option(
      '--until <event>',
      'caught-up: end when all that was there at the start is processed and committed',
      once(caughtUp),
    )
    .option('--timeout <duration>', 'how long --until may take, such as 60s; exit 6 when it passes', once(duration))
    .option('--commit-interval <duration>', 'time between commits (default: 100ms)', once(duration))
    .option(
      '--state-dir <dir>',
      'local state (default: .streamctl/state, beside the embedded broker when that is used)',
      once(text),
    )
    .option(
      '--state-memory <MiB>',
      'memory for state, divided among all tasks of the application (default: 256)',
      once(wholeNumber(16, 1_000_000)),
    )
    .option(
      '--state-cleanup-delay <duration>',
      'how long state of a task that is no longer here is kept, at least (default: 10m)',
      once(duration),
    )
    .option(
      '--standbys <n>',
      "copies of each task's state on other processes of the application (default: 0)",
      once(wholeNumber(0, 100)),
    )
    .option(
      '--from <position>',
      'earliest or latest: where to start without committed offsets (default: earliest)',
      once(oneOf('earliest', 'latest')),
    )
    .option(
      '--metadata-max-age <duration>',
      'how long until a topic is seen that comes to match a pattern, at most (default: 60s)',
      once(duration),
    )
    .option(
      '--partitions <n>',
      'partitions of topics created on the embedded broker (default: 1)',
      once(wholeNumber(1, 1000)),
    )
    .option(
      '--topic-config <name=value>',
      'Kafka config of changelogs and repartition topics, when they are created; repeatable',
      collect(topicConfig),
    )
    .option(
      '--workers <n>',
      'engine threads on Kafka, each with its own connections, transaction and tasks (default: 1)',
      once(wholeNumber(1, 64)),
    )
    .option(
      '--instance-id <name>',
      'name in the group (default: that of the state directory, so that a restart finds its tasks again at once)',
      once(legalName),
    )
    .option('--session-timeout <duration>', 'how long the group waits for a dead member (default: 30s)', once(duration))
    .option(
      '--queries <address>',
      'answer queries of stores over HTTP, at a port of this machine or host:port; 0 takes a free one',
      once(address),
    )
    .option('--accept-topology', 'run although streamctl.lock.json says that this needs a reset, and write it anew')
    .option('--no-tui', 'status lines instead of the screen')
    .addHelpText(
      'before',
      'Example: streamctl run topology.ts --in lines=input.txt --out word-counts=- --until caught-up\n',
    )
    .action(async (topology, options) => {
      const { run } = await import('./commands/run.ts')
      exit = await run(topology, options, io)
    })

  command('try <topology>', 'Send records from stdin through a topology, with no broker and a virtual clock')
    .addHelpText('before', `Example: echo '{"topic":"lines","key":null,"value":"a b a"}' | streamctl try topology.ts\n`)
    .action(async (topology) => {
      const { tryOut } = await import('./commands/try.ts')
      exit = await tryOut(topology, io)
    })

  command('graph <topology>', 'Show the topology: processors, stores, topics')
    .option(
      '--app-id <name>',
      "application id, the prefix of internal topics (default: the topology's name)",
      once(legalName),
    )
    .option(
      '--format <format>',
      'text, mermaid, dot or json (default: text)',
      once(oneOf('text', 'mermaid', 'dot', 'json')),
    )
    .addHelpText('before', 'Example: streamctl graph topology.ts --format mermaid\n')
    .action(async (topology, options) => {
      const { graph } = await import('./commands/graph.ts')
      exit = await graph(topology, options, io)
    })

  command('check <topology>', 'Compare the topology with the lock beside it: same, safe, or needs reset')
    .option(
      '--app-id <name>',
      "application id, which the lock's entry is found by (default: the topology's name)",
      once(legalName),
    )
    .option('--write', 'accept the topology as it is: write it into streamctl.lock.json')
    .option('--strict', 'exit 3 on anything but same: for CI')
    .addHelpText('before', 'Example: streamctl check topology.ts --strict\n')
    .action(async (topology, options) => {
      const { check } = await import('./commands/check.ts')
      exit = await check(topology, options, io)
    })

  command('produce <topic>', 'Write lines of stdin or a file to a topic')
    .option('--broker <address>', brokerHelp, once(text))
    .option('--file <file>', 'instead of stdin; .ndjson, .jsonl and .json hold NDJSON', once(text))
    .option(
      '--format <format>',
      'ndjson: {"key","value","timestamp"?,"headers"?} on each line; text: values',
      once(oneOf('ndjson', 'text')),
    )
    .option('--delimiter <text>', 'lines are key, delimiter, value; \\t is a tab', once(delimiterOf))
    .option('--key <serde>', serdeHelp, once(text))
    .option('--value <serde>', serdeHelp, once(text))
    .option('--topology <file>', 'take the serdes from a topology', once(text))
    .option(
      '--partitions <n>',
      'partitions of a topic created on the embedded broker (default: 1)',
      once(wholeNumber(1, 1000)),
    )
    .addHelpText('before', `Example: printf 'k1\\tv1\\n' | streamctl produce lines --delimiter '\\t'\n`)
    .action(async (topic, options) => {
      const { produce } = await import('./commands/produce.ts')
      exit = await produce(legalName(topic), options, io)
    })

  command('consume <topic>', 'Write the records of a topic as NDJSON; follows until Ctrl-C')
    .option('--broker <address>', brokerHelp, once(text))
    .option('--from <position>', 'earliest, latest or an offset (default: earliest)', once(startAt))
    .option('--until <event>', 'caught-up: end at the end of the topic as it is now', once(caughtUp))
    .option('--timeout <duration>', 'how long it may take; exit 6 when it passes', once(duration))
    .option('-n, --count <n>', 'end after so many records', once(wholeNumber(1, Number.MAX_SAFE_INTEGER)))
    .option('--partition <n>', 'only this partition; repeatable', collect(wholeNumber(0, 1_000_000)))
    .option(
      '--isolation <level>',
      'committed or uncommitted (default: committed)',
      once(oneOf('committed', 'uncommitted')),
    )
    .option('--key <serde>', `${serdeHelp} (default: text, or base64 when it is none)`, once(text))
    .option('--value <serde>', serdeHelp, once(text))
    .option('--topology <file>', 'take the serdes from a topology', once(text))
    .addHelpText('before', 'Example: streamctl consume word-counts --value int64 --until caught-up\n')
    .action(async (topic, options) => {
      const { consume } = await import('./commands/consume.ts')
      exit = await consume(legalName(topic), options, io)
    })

  command('lag [app]', 'Records that an app (its name, or its topology file) has still to read')
    .option('--broker <address>', brokerHelp, once(text))
    .option('--group <name>', 'a consumer group, instead of an app', once(text))
    .option('--topic <name>', 'only this topic; repeatable', collect(legalName))
    .option('--fail-over <n>', 'exit 5 when the sum is over n', once(wholeNumber(0, Number.MAX_SAFE_INTEGER)))
    .addHelpText('before', 'Example: streamctl lag topology.ts --broker localhost:9092 --fail-over 1000\n')
    .action(async (app, options) => {
      const { lag } = await import('./commands/lag.ts')
      exit = await lag(app, options, io)
    })

  if (args.length === 0) {
    await io.out.text(program.helpInformation())
    return exitCodes.ok
  }
  try {
    await program.parseAsync(args, { from: 'user' })
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown
    if (thrown.exitCode === 0) return exitCodes.ok
    throw usage(thrown, args)
  }
  return exit
}

/** Commander's words as ours: what, then what to do. */
function usage(error: CommanderError, args: readonly string[]): UsageError {
  const [what = '', ...suggestion] = error.message.replace(/^error: /, '').split('\n')
  const near = suggestion.join(' ').replace(/[()]/g, '').trim()
  const name =
    args[0] !== undefined && !args[0].startsWith('-') && error.code !== 'commander.unknownCommand' ? ` ${args[0]}` : ''
  const help = `See streamctl${name} --help.`
  return new UsageError(what, near === '' ? help : `${near} ${help}`)
}
