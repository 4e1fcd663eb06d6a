/** Duplicates and limits; twins of java/Limits.java. */

import type { KStream } from 'streamctl'
import type { Family } from '../twin.ts'
import { numbers, numbersShape, others, othersShape, results } from './topics.ts'

const input = { topics: [numbersShape] }
const twoInputs = { topics: [numbersShape, othersShape] }

interface Parts {
  readonly within: KStream<string, number>
  readonly over: KStream<string, number>
}

/** What is over as -1. */
function marked({ within, over }: Parts): KStream<string, number> {
  return within.merge(over.mapValues(() => -1))
}

export const limits: Family = {
  dedupe: {
    input,
    build(b) {
      b.stream(numbers).dedupe('once', { within: 30 }).to(results)
    },
  },
  dedupeById: {
    input,
    build(b) {
      b.stream(numbers)
        .dedupe('once', { by: (n) => (n === 0 ? null : n), within: 50, grace: 20 })
        .to(results)
    },
  },
  rateLimit: {
    input,
    build(b) {
      marked(b.stream(numbers).rateLimit('limit', { limit: 3, per: 40 })).to(results)
    },
  },
  rateLimitWithoutGrace: {
    input,
    build(b) {
      marked(b.stream(numbers).rateLimit('limit', { limit: 2, per: 25, by: (n) => n % 2, grace: 0 })).to(results)
    },
  },
  behindOthers: {
    input: twoInputs,
    build(b) {
      const once = b.stream(numbers).merge(b.stream(others)).dedupe('once', { within: 5 })
      marked(once.rateLimit('limit', { limit: 5, per: 100, grace: 50 }))
        .groupByKey(numbers)
        .count('counts')
        .toStream()
        .to(results)
    },
  },
}
