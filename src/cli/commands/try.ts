/** `try`: records from stdin through a topology and out again, with no broker and a clock that only its input moves. */

import { isUtf8 } from 'node:buffer'
import { StreamError } from '../../common/errors.ts'
import type { Topology } from '../../topology/node.ts'
import type { Io } from '../io.ts'
import { headersToJson } from '../json-values.ts'
import { type Line, readLines } from '../lines.ts'
import { loadTopology } from '../load.ts'
import { locatedIn } from '../locate.ts'
import { badLine, parseObject, recordOf } from '../records.ts'
import { onStop } from '../signals.ts'
import { mustKnow } from '../topic-serdes.ts'

type Driver = Awaited<ReturnType<typeof import('../../testing/driver.ts').createTestDriver>>

const hint = 'Give {"topic","key","value","timestamp","headers"?} or {"advanceWallClockMs": ms} on each line.'

export async function tryOut(file: string, io: Io): Promise<number> {
  const topology = await loadTopology(file, io)
  const { createTestDriver } = await import('../../testing/driver.ts')
  const driver = await createTestDriver(topology)
  const stopping = onStop(io)
  try {
    for await (const lines of readLines(stoppable(io.stdin, stopping.asked), 'stdin')) {
      for (const line of lines) {
        await step(driver, topology, line)
        await show(driver, io)
        if (io.out.closed) return 0
      }
    }
    await show(driver, io)
    return 0
  } catch (thrown) {
    // What came out before the failure is a result.
    await show(driver, io).catch(() => undefined)
    throw locatedIn(thrown, topology)
  } finally {
    stopping.dispose()
    await driver.close()
  }
}

async function step(driver: Driver, topology: Topology, line: Line): Promise<void> {
  const object = parseObject(line, 'stdin')
  if ('advanceWallClockMs' in object) {
    const ms = object.advanceWallClockMs
    if (!(typeof ms === 'number' && Number.isSafeInteger(ms) && ms >= 0) || Object.keys(object).length > 1) {
      throw badLine(line, 'stdin', '"advanceWallClockMs" is no whole number of ms, or does not stand alone', hint)
    }
    await driver.advanceWallClock(ms)
    return
  }
  const { topic } = object
  if (typeof topic !== 'string') throw badLine(line, 'stdin', 'the field "topic" is missing', hint)
  const record = recordOf(object, line, 'stdin', serdesFor(topology, topic, line))
  try {
    await driver.send(topic, record.key, record.value, record.timestamp ?? undefined, record.headers)
  } catch (thrown) {
    if (!(thrown instanceof StreamError)) throw thrown
    throw new StreamError(thrown.code, `line ${line.number} of stdin: ${thrown.message}`, {
      where: thrown.where,
      cause: thrown.cause,
      ...(thrown.hint === undefined ? {} : { hint: thrown.hint }),
    })
  }
}

function serdesFor(topology: Topology, topic: string, line: Line): ReturnType<typeof mustKnow> {
  try {
    return mustKnow(topology, topic, 'source')
  } catch (thrown) {
    const { message, hint: topics } = thrown as { message: string; hint: string }
    throw badLine(line, 'stdin', message, topics)
  }
}

async function show(driver: Driver, io: Io): Promise<void> {
  for (const { topic, key, value, timestamp, headers } of driver.read()) {
    const more = headers.length === 0 ? {} : { headers: headersToJson(headers) }
    await io.out.json({ topic, key: readable(key), value: readable(value), timestamp, ...more })
  }
}

/** Dead letters come as bytes: shown as text where they are text. */
function readable(value: unknown): unknown {
  return Buffer.isBuffer(value) && isUtf8(value) ? value.toString('utf8') : value
}

/** The stream until it ends or a signal comes. */
async function* stoppable(source: Io['stdin'], asked: Promise<void>): AsyncGenerator<Buffer | string> {
  void asked.then(() => source.destroy())
  try {
    for await (const chunk of source) yield chunk as Buffer | string
  } catch (thrown) {
    // Destroyed by the signal.
    if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'ERR_STREAM_PREMATURE_CLOSE')) throw thrown
  }
}
