/**
 * Streams joined with streams; twins of java/StreamJoins.java. Where all records are in time, joins give what those of Kafka Streams give,
 * record by record, as long as nothing is given out alone; the twins named `compat` ask for the rest.
 */

import fc from 'fast-check'
import { type JoinWindows, type KStream, type StreamsBuilder, string, Windows } from 'streamctl'
import type { Family } from '../twin.ts'
import { numbers, numbersShape, others, othersShape, results } from './topics.ts'

const input = { topics: [numbersShape, { ...othersShape, weight: 3 }] }
/** In memory, as the tests run it, Kafka Streams has rows gone earlier for a null value that is dropped; not on RocksDB. */
const values = fc.constantFrom(-3, 0, 1, 2, 3, 4, 5, 6, 7)
const withoutNulls = { topics: input.topics.map((topic) => ({ ...topic, values })) }

const pair = (left: number | null, right: number | null, key: string): string => `${key}${left}/${right}`

function windows(before: number, after: number, grace: number): JoinWindows {
  return Windows.join(Math.max(before, after), { before, after, grace })
}

function rekeyed(stream: KStream<string, number>): KStream<string, number> {
  return stream.selectKey((n) => (n === null || n > 5 ? (null as never) : n % 2 === 0 ? 'a' : 'b'))
}

const compat = 'kafka-streams'
const keyed = { name: 'pairs', key: string }

/** A twin that joins the numbers with the others. */
function twin(
  method: 'join' | 'leftJoin' | 'outerJoin',
  of: JoinWindows,
  options?: { readonly compat: typeof compat },
) {
  const build = (b: StreamsBuilder): void => {
    const [left, right] = [b.stream(numbers), b.stream(others)]
    const named = { name: 'pairs', ...options }
    const joined =
      method === 'join'
        ? left.join(right, pair, of, named)
        : method === 'leftJoin'
          ? left.leftJoin(right, pair, of, named)
          : left.outerJoin(right, pair, of, named)
    joined.to(results)
  }
  return { input: options === undefined ? input : withoutNulls, build }
}

export const streamJoins: Family = {
  inner: twin('join', windows(20, 20, 150)),
  innerAsymmetric: twin('join', windows(0, 40, 150)),
  zeroWindow: twin('join', windows(0, 0, 150)),
  selfJoin: {
    input: { topics: [numbersShape] },
    build(b) {
      const stream = b.stream(numbers)
      stream.join(stream, pair, windows(20, 10, 150), { name: 'pairs' }).to(results)
    },
  },
  joinOfJoin: {
    input,
    build(b) {
      const stream = b.stream(numbers)
      const add = (left: number, right: number) => left * 10 + right
      const sums = stream.join(b.stream(others), add, windows(15, 15, 150), { name: 'sums' })
      sums.join(stream, pair, windows(5, 25, 150), { name: 'again', value: numbers.value }).to(results)
    },
  },
  innerRekeyed: {
    input,
    build(b) {
      rekeyed(b.stream(numbers))
        .join(rekeyed(b.stream(others)), pair, windows(20, 20, 150), keyed)
        .to(results)
    },
  },
  thenCounted: {
    input,
    build(b) {
      b.stream(numbers)
        .join(b.stream(others), (left, right) => left * right, windows(30, 30, 150), { name: 'products' })
        .groupByKey({ value: numbers.value })
        .count('counts')
        .toStream()
        .to(results)
    },
  },
  compatInner: twin('join', windows(20, 20, 0), { compat }),
  compatInnerApart: twin('join', windows(-10, 60, 150), { compat }),
  compatInnerNothing: twin('join', windows(0, 0, 0), { compat }),
  compatLeft: twin('leftJoin', windows(20, 20, 10), { compat }),
  compatLeftNoGrace: twin('leftJoin', windows(15, 15, 0), { compat }),
  compatLeftAfter: twin('leftJoin', windows(0, 30, 5), { compat }),
  compatLeftBefore: twin('leftJoin', windows(30, 0, 0), { compat }),
  compatOuter: twin('outerJoin', windows(20, 20, 10), { compat }),
  compatOuterRocksDb: { ...twin('outerJoin', windows(20, 20, 0), { compat }), input },
  compatOuterAsymmetric: twin('outerJoin', windows(5, 40, 20), { compat }),
  compatOuterApart: twin('outerJoin', windows(40, -10, 5), { compat }),
  compatOuterZero: twin('outerJoin', windows(0, 0, 10), { compat }),
  compatLeftRekeyed: {
    input: withoutNulls,
    build(b) {
      rekeyed(b.stream(numbers))
        .leftJoin(b.stream(others), pair, windows(20, 20, 10), { ...keyed, compat })
        .to(results)
    },
  },
  compatOuterRekeyed: {
    input: withoutNulls,
    build(b) {
      rekeyed(b.stream(numbers))
        .outerJoin(rekeyed(b.stream(others)), pair, windows(10, 10, 5), { ...keyed, compat })
        .to(results)
    },
  },
  compatOuterSelf: {
    input: { topics: [{ ...numbersShape, values }] },
    build(b) {
      const stream = b.stream(numbers)
      stream.outerJoin(stream, pair, windows(-5, 20, 5), { name: 'pairs', compat }).to(results)
    },
  },
  compatLeftOfInner: {
    input: withoutNulls,
    build(b) {
      const right = b.stream(others)
      const add = (left: number, right: number) => left * 10 + right
      const sums = b.stream(numbers).join(right, add, windows(10, 10, 5), { name: 'sums', compat })
      sums.leftJoin(right, pair, windows(5, 10, 5), { name: 'again', value: numbers.value, compat }).to(results)
    },
  },
}
