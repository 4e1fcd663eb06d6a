/** Passes each record to the topic that a function chooses for it (Kafka Streams: TopicNameExtractor). */

import type { RecordContext } from '../common/record-context.ts'
import { AtRecord } from './at-record.ts'
import { type CurrentRecord, guard3, type Process, type ProcessorContext } from './processor.ts'

export interface ChooseTopicArgs<K, V> {
  readonly chooser: (value: V, key: K, context: RecordContext) => { readonly name: string }
  /** Names of those to choose among. */
  readonly topics: readonly string[]
  readonly current: CurrentRecord
}

/** `nexts[i]` takes the records for `topics[i]`. */
export function chooseTopic<K, V>(
  args: ChooseTopicArgs<K, V>,
  ctx: ProcessorContext,
  nexts: readonly (Process<K, V> | undefined)[],
): Process<K, V> {
  const { chooser, topics } = args
  const at = new AtRecord(args.current)
  const choose = guard3(ctx.node, (value: V, key: K, context: RecordContext) => {
    const chosen: unknown = chooser(value, key, context)?.name
    const index = topics.indexOf(chosen as string)
    if (index >= 0) return index
    const what = typeof chosen === 'string' ? `the topic ${chosen}` : 'what is no topic'
    throw new TypeError(`${what} was chosen, and is not declared: among has ${topics.join(', ')}`)
  })
  return (key, value, timestamp, headers) => {
    at.timestamp = timestamp
    at.headers = headers
    const next = nexts[choose(value, key, at)] as Process<K, V>
    next(key, value, timestamp, headers)
  }
}
