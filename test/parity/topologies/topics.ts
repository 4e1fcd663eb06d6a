/** Topics that most families use, and what comes in on them; java/Inputs.java and java/Results.java have the same ones. */

import fc from 'fast-check'
import {
  json,
  type Serde,
  sessionWindowed,
  string,
  type TopicDefinition,
  topic,
  type Windowed,
  windowed,
} from 'streamctl'
import type { TopicShape } from '../shape.ts'

export const numbers = topic('numbers', { key: string, value: json<number>() })
export const others = topic('others', { key: string, value: json<number>() })
export const lines = topic('lines', { key: string, value: json<string>() })
export const rows = topic('rows', { key: string, value: json<string>() })

/** Few, so that they meet; one record in eleven has none. */
const keys = fc.constantFrom('a', 'a', 'a', 'b', 'b', 'b', 'c', 'c', 'c', 'd', null)
const someNumbers = fc.constantFrom(-3, 0, 1, 2, 3, 4, 5, 6, 7, null)

export const numbersShape: TopicShape = { topic: 'numbers', keys, values: someNumbers, weight: 3 }
export const othersShape: TopicShape = { topic: 'others', keys, values: someNumbers, weight: 2 }
export const linesShape: TopicShape = {
  topic: 'lines',
  keys,
  values: fc.oneof(
    fc.array(fc.constantFrom('to', 'be', 'or', 'größe'), { maxLength: 5 }).map((words) => words.join(' ')),
    fc.constant(null),
  ),
}
/** Of a table: one record in four deletes a row. */
export const rowsShape: TopicShape = { topic: 'rows', keys, values: fc.constantFrom('x', 'yy', 'zzz', null), weight: 2 }

/** JSON that takes a count too, as Kafka Streams' side writes a long. */
const anything: Serde<unknown> = {
  ...json<unknown>(),
  serialize: (value) => json.serialize(typeof value === 'bigint' ? Number(value) : value),
}

/** A sink for whatever comes. */
export const results: TopicDefinition<string, unknown> = resultsOf('results')

export function resultsOf(name: string): TopicDefinition<string, unknown> {
  return topic(name, { key: string, value: anything })
}

/** A sink for windows of that size. */
export function windowedResults(sizeMs: number, name = 'results'): TopicDefinition<Windowed<string>, unknown> {
  return topic(name, { key: windowed(string, sizeMs), value: anything })
}

/** A sink for sessions. */
export const sessionResults: TopicDefinition<Windowed<string>, unknown> = topic('results', {
  key: sessionWindowed(string),
  value: anything,
})
