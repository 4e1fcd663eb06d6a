import { expect, test } from 'vitest'
import { consumerRecord } from '../../src/common/record.ts'
import { chooseTopic } from '../../src/operators/choose-topic.ts'
import { collector, context, headers } from './harness.ts'

const current = { value: undefined, record: consumerRecord(7, 1, null, null), from: { topic: 'input', partition: 2 } }
const topics = ['small', 'large']

test('each record goes where it is sent, and to no other', () => {
  const [small, large] = [collector(), collector()]
  const seen: unknown[] = []
  const chooser = (
    value: number,
    key: string,
    { topic, partition, offset, timestamp, headers }: Record<string, unknown>,
  ) => {
    seen.push([key, topic, partition, offset, timestamp, headers])
    return { name: value > 5 ? 'large' : 'small' }
  }
  const choose = chooseTopic<string, number>({ chooser: chooser as never, topics, current }, context(), [
    small.next,
    large.next,
  ])
  choose('a', 1, 10, headers)
  choose('b', 9, 11, headers)
  expect([small.seen, large.seen]).toEqual([[['a', 1, 10]], [['b', 9, 11]]])
  expect(seen).toEqual([
    ['a', 'input', 2, 7, 10, headers],
    ['b', 'input', 2, 7, 11, headers],
  ])
})

test.each<[string, () => unknown, string]>([
  [
    'another topic',
    () => ({ name: 'other' }),
    'the topic other was chosen, and is not declared: among has small, large',
  ],
  ['nothing', () => undefined, 'what is no topic was chosen'],
  ['a text', () => 'small', 'what is no topic was chosen'],
  [
    'an exception',
    () => {
      throw new Error('boom')
    },
    'the-node: boom',
  ],
])('%s is an error of the processor', (_, chooser, message) => {
  const choose = chooseTopic({ chooser: chooser as never, topics, current }, context(), [undefined, undefined])
  expect(() => choose('a', 1, 10, headers)).toThrow(
    expect.objectContaining({
      code: 'PROCESSING',
      message: expect.stringContaining(message),
      where: { node: 'the-node' },
    }),
  )
})
