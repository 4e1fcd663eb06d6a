/** Operators without a store; twins of java/Stateless.java. */

import { json, otherwise, string, topicPattern } from 'streamctl'
import type { Family } from '../twin.ts'
import { numbers, numbersShape, others, othersShape, results, resultsOf } from './topics.ts'

const input = { topics: [numbersShape] }
const twoInputs = { topics: [numbersShape, othersShape] }

export const stateless: Family = {
  filter: {
    input,
    build(b) {
      b.stream(numbers)
        .filter((n) => n !== null && n % 2 === 0)
        .to(results)
    },
  },
  /** Read by a pattern: both topics, in the order of their records. */
  pattern: {
    input: twoInputs,
    build(b) {
      b.stream(topicPattern(/numbers|o(th|x)er.+/, { key: string, value: numbers.value }))
        .mapValues((n, key) => `${key} ${n}`)
        .to(results)
    },
  },
  filterNot: {
    input,
    build(b) {
      b.stream(numbers)
        .filterNot((n, key) => key !== null && n !== null && n > 2)
        .to(results)
    },
  },
  map: {
    input,
    build(b) {
      b.stream(numbers)
        .map((n, key) => [key === null ? 'none' : key + n, n === null ? 7 : n * 10])
        .to(results)
    },
  },
  mapToNull: {
    input,
    build(b) {
      b.stream(numbers)
        .map((n, key) => [n === null ? (null as never) : key, n === null || n > 4 ? null : n])
        .to(results)
    },
  },
  mapValues: {
    input,
    build(b) {
      b.stream(numbers)
        .mapValues((n, key) => (n === null ? `${key} is gone` : n < 0 ? null : `${key}${n}`))
        .to(results)
    },
  },
  flatMap: {
    input,
    build(b) {
      b.stream(numbers)
        .flatMap((n, key) =>
          Array.from(
            { length: n === null ? 0 : Math.max(0, n) },
            (_, i) => [i === 2 ? (null as never) : `${key}${i}`, i === 3 ? null : n * 10 + i] as const,
          ),
        )
        .to(results)
    },
  },
  flatMapValues: {
    input,
    build(b) {
      b.stream(numbers)
        .flatMapValues((n, key) =>
          Array.from({ length: n === null ? 0 : Math.max(0, n) }, (_, i) => (i === 3 ? null : `${key}${i}`)),
        )
        .to(results)
    },
  },
  selectKey: {
    input,
    build(b) {
      b.stream(numbers)
        .selectKey((n, key) => (n === null ? (null as never) : `${key}${n}`))
        .to(results)
    },
  },
  merge: {
    input: twoInputs,
    build(b) {
      b.stream(numbers)
        .merge(b.stream(others).mapValues((n) => (n === null ? null : n * 100)))
        .to(results)
    },
  },
  twoTopics: {
    input: twoInputs,
    build(b) {
      b.stream([numbers, others]).to(results)
    },
  },
  split: {
    input,
    build(b) {
      const { gone, large, even, rest } = b.stream(numbers).split({
        gone: (n) => n === null,
        large: (n) => n > 4,
        even: (n) => n % 2 === 0,
        rest: otherwise,
      })
      gone.to(resultsOf('gone'))
      large.to(resultsOf('large'))
      even.to(results)
      rest.mapValues((n) => -n).to(resultsOf('large'))
    },
  },
  splitWithoutDefault: {
    input,
    build(b) {
      const { large, keyless } = b.stream(numbers).split({
        large: (n) => n !== null && n > 4,
        keyless: (_, key) => key === null,
      })
      large.to(resultsOf('large'))
      keyless.to(results)
    },
  },
  chosenTopic: {
    input: twoInputs,
    build(b) {
      const [gone, large] = [resultsOf('gone'), resultsOf('large')]
      b.stream(numbers)
        .filter((n) => n === null || n !== 3)
        .merge(b.stream(others))
        .to(
          (n, _, { topic, offset, timestamp, headers }) => {
            if (n === null) return gone
            if (topic === 'others' || offset % 3 === 0) return results
            return timestamp % 2 === 0 || headers.length > 0 ? large : gone
          },
          { among: [gone, large, results] },
        )
    },
  },
  peek: {
    input,
    build(b) {
      let seen = 0
      b.stream(numbers)
        .peek((n) => {
          seen += n === null ? 100 : n
        })
        .mapValues(() => seen)
        .to(results)
    },
  },
  fanOut: {
    input,
    build(b) {
      const stream = b.stream(numbers)
      stream.to(resultsOf('first'))
      const doubled = stream.mapValues((n) => (n === null ? null : n * 2))
      doubled.filter((n) => n !== null).to(resultsOf('second'))
      stream.merge(doubled).to(results)
    },
  },
  repartition: {
    input,
    build(b) {
      b.stream(numbers)
        .selectKey((n, key) => (n === null ? 'gone' : `${key}${n % 2}`))
        .repartition('by-parity', { key: string, value: json<number>() })
        .mapValues((n, key) => `${key}${n}`)
        .to(results)
    },
  },
}
