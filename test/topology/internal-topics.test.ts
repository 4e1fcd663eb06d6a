import { expect, test } from 'vitest'
import { Windows } from '../../src/common/windows.ts'
import { defineTopology } from '../../src/dsl/define.ts'
import { string } from '../../src/serde/string.ts'
import { checkTopicConfigs, internalTopics } from '../../src/topology/internal-topics.ts'
import { changelogTopic, repartitionTopic } from '../../src/topology/names.ts'
import { customers, lines, refusal } from '../dsl/fixtures.ts'

const topology = defineTopology('t', (b) => {
  b.table(customers, { store: 'people' })
  b.stream(lines)
    .groupBy('by-word', (line) => line, { key: string })
    .windowedBy(Windows.tumbling('1h', { grace: '5m' }))
    .count('hourly')
})

test('names are those of Kafka Streams', () => {
  expect(changelogTopic('shop', 'people')).toBe('shop-people-changelog')
  expect(repartitionTopic('shop', 'by-word')).toBe('shop-by-word-repartition')
  expect(refusal(() => changelogTopic('a'.repeat(200), 'b'.repeat(60)))).toMatchObject({
    code: 'INVALID_TOPOLOGY',
    hint: expect.stringContaining('at most 249'),
  })
})

test('internal topics have the counts given and the configs of Kafka Streams', () => {
  const counts = new Map([
    ['shop-by-word-repartition', 4],
    ['shop-people-changelog', 3],
    ['shop-hourly-changelog', 4],
  ])
  expect(internalTopics(topology, 'shop', counts)).toEqual([
    {
      name: 'shop-by-word-repartition',
      partitions: 4,
      configs: {
        'cleanup.policy': 'delete',
        'retention.ms': '-1',
        'segment.bytes': '52428800',
        'message.timestamp.type': 'CreateTime',
      },
    },
    {
      name: 'shop-people-changelog',
      partitions: 3,
      configs: { 'cleanup.policy': 'compact', 'message.timestamp.type': 'CreateTime' },
    },
    {
      name: 'shop-hourly-changelog',
      partitions: 4,
      configs: {
        'cleanup.policy': 'compact,delete',
        'retention.ms': '-1',
        'message.timestamp.type': 'CreateTime',
      },
    },
  ])
})

test('configs that are asked for are those of all internal topics, before the ones of the engine', () => {
  const counts = new Map(
    ['by-word-repartition', 'people-changelog', 'hourly-changelog'].map((name) => [`t-${name}`, 1]),
  )
  const asked = { 'segment.bytes': '1000000', 'min.insync.replicas': '2' }
  const before = internalTopics(topology, 't', counts)
  expect(internalTopics(topology, 't', counts, asked)).toEqual(
    before.map((topic) => ({ ...topic, configs: { ...topic.configs, ...asked } })),
  )
})

test.each([
  [{ 'cleanup.policy': 'delete' }, 'topic config cleanup.policy is not yours to set'],
  [{ 'retention.ms': '1' }, 'topic config retention.ms is not yours to set'],
  [{ 'retention.bytes': '1' }, 'topic config retention.bytes is not yours to set'],
  [{ 'message.timestamp.type': 'CreateTime' }, 'topic config message.timestamp.type is not yours to set'],
  [{ 'segment bytes': '1' }, '"segment bytes" is no name of a topic config'],
  [{ 'min.insync.replicas': 2 as unknown as string }, 'topic config min.insync.replicas has no value'],
])('configs %j are refused', (configs, says) => {
  expect(refusal(() => checkTopicConfigs(configs))).toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining(says),
    hint: expect.any(String),
  })
})

test('a count that is missing is a bug, not a guess', () => {
  expect(refusal(() => internalTopics(topology, 'shop', new Map())).code).toBe('INTERNAL')
})
