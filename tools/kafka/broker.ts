/** `npm run broker`: one real Kafka node until Ctrl-C; stdout carries its address and nothing else. */
import { parseArgs } from 'node:util'
import { startKafka } from './kafka.ts'

const usage = 'usage: npm run broker -- [--port <port>] [--heap <size, default 1g>] [--keep] [--set <key>=<value>]...'

function options(): Parameters<typeof startKafka>[0] {
  const { values } = parseArgs({
    options: {
      port: { type: 'string' },
      heap: { type: 'string' },
      keep: { type: 'boolean' },
      set: { type: 'string', multiple: true },
    },
  })
  const port = values.port === undefined ? undefined : Number(values.port)
  if (port !== undefined && !(Number.isInteger(port) && port > 0 && port < 65_536)) {
    throw new TypeError(`--port takes a number from 1 to 65535, not '${values.port}'`)
  }
  const config = Object.fromEntries(
    (values.set ?? []).map((pair) => {
      const at = pair.indexOf('=')
      if (at < 1) throw new TypeError(`--set takes key=value, not '${pair}'`)
      return [pair.slice(0, at), pair.slice(at + 1)]
    }),
  )
  return { port, heap: values.heap, keep: values.keep, config }
}

/** Resolves when someone wants the broker gone: by a signal, or by ending the `npm run` it was started from. */
function wantedGone(): Promise<'asked'> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve('asked'))
    if (process.env.npm_lifecycle_event === undefined) return
    // npm passes a signal to the shell between us only: that shell's end is all we get to see of it.
    const parent = process.ppid
    setInterval(() => process.ppid !== parent && resolve('asked'), 200).unref()
  })
}

async function main(): Promise<number> {
  const asked = wantedGone()
  const wanted = options()
  const starting = startKafka(wanted)
  if ((await Promise.race([asked, starting])) === 'asked') {
    const half = await starting.catch(() => undefined)
    await half?.stop()
    return 0
  }
  const kafka = await starting
  console.log(kafka.bootstrap)
  console.error(
    `Kafka runs, data and log in ${kafka.directory}${wanted?.keep ? '' : ' until it stops'}. Ctrl-C stops it.`,
  )
  const why = await Promise.race([asked, kafka.ended()])
  if (why !== 'asked') console.error('Kafka ended by itself.')
  await kafka.stop()
  return why === 'asked' ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  const { code, message } = error as { code?: string; message: string }
  const misused = error instanceof TypeError || code?.startsWith('ERR_PARSE_ARGS') === true
  console.error(misused ? `${message}\n${usage}` : message)
  process.exitCode = misused ? 2 : 1
}
