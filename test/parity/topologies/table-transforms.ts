/** Tables whose rows a function with stores and a context makes; twins of java/TableTransforms.java. */

import { type KTable, type StreamsBuilder, store, string } from 'streamctl'
import type { Family } from '../twin.ts'
import { numbers, numbersShape, results, rows, rowsShape } from './topics.ts'

const input = { topics: [rowsShape] }
const twoInputs = { topics: [{ ...numbersShape, weight: 2 }, rowsShape] }

const both = (left: unknown, right: unknown): string => `${left}+${right}`

/** What a key's rows have been so far: the end of it, or nothing when it is as long as that. */
function history(b: StreamsBuilder): KTable<string, string | null> {
  return b.table(rows, { store: 'rows' }).transformValues('history', {
    stores: { said: store({ key: string, value: string }) },
    serde: string,
    transform(row, key, { stores }) {
      const now = `${stores.said.get(key) ?? ''}${row ?? '-'}`
      if (now.length > 8) stores.said.delete(key)
      else stores.said.put(key, now)
      return now.length % 4 === 0 ? null : now
    },
  })
}

export const tableTransforms: Family = {
  deletedRowsToo: {
    input,
    build(b) {
      b.table(rows, { store: 'rows' })
        .transformValues('shown', {
          serde: string,
          transform: (row, key) => (row === 'yy' ? null : `${key}${row ?? 'gone'}`),
        })
        .toStream()
        .to(results)
    },
  },
  withStore: {
    input,
    build(b) {
      history(b).toStream().to(results)
    },
  },
  filteredAfter: {
    input,
    build(b) {
      history(b)
        .filter((said) => said.length < 6)
        .mapValues((said) => said.length)
        .toStream()
        .to(results)
    },
  },
  twice: {
    input,
    build(b) {
      history(b)
        .filterNot((said) => said.endsWith('x'))
        .transformValues('shorter', { serde: string, transform: (said) => said?.slice(0, 3) ?? 'none' })
        .toStream()
        .to(results)
    },
  },
  joined: {
    input: twoInputs,
    build(b) {
      b.table(numbers, { store: 'numbers' }).outerJoin(history(b), both).toStream().to(results)
    },
  },
  grouped: {
    input,
    build(b) {
      history(b)
        .groupBy('by-length', (said, key) => [`${said.length}`, `${key}${said}`], { key: string, value: string })
        .aggregate('lists', {
          init: () => '',
          add: (list, said) => `${list}+${said}`.slice(-20),
          subtract: (list, said) => `${list}-${said}`.slice(-20),
          serde: string,
        })
        .toStream()
        .to(results)
    },
  },
  whereItIs: {
    input,
    build(b) {
      b.table(rows, { store: 'rows' })
        .transformValues('places', {
          serde: string,
          transform: (row, _key, { topic, partition, offset, timestamp, headers, currentStreamTimeMs }) =>
            `${row}@${topic}/${partition}/${offset}/${timestamp}/${headers.length}/${currentStreamTimeMs}`,
        })
        .toStream()
        .to(results)
    },
  },
  readsTable: {
    input: twoInputs,
    build(b) {
      const table = b.table(rows, { store: 'rows' })
      b.table(numbers, { store: 'numbers' })
        .transformValues('look-up', {
          tables: { table },
          serde: string,
          transform: (n, key, { tables }) => (n === 3 ? null : `${n}${tables.table.get(key) ?? 'none'}`),
        })
        .join(table, both)
        .toStream()
        .to(results)
    },
  },
  punctuated: {
    input,
    build(b) {
      b.table(rows, { store: 'rows' })
        .transformValues('since', {
          stores: { since: store({ key: string, value: string }) },
          serde: string,
          transform(row, key, { stores }) {
            const now = `${stores.since.get('all') ?? ''}${row === null ? '-' : key}`
            stores.since.put('all', now)
            return now
          },
          punctuators: [
            {
              type: 'stream-time',
              every: 20,
              punctuate(time, { stores }) {
                stores.since.put('all', `${time}:`)
              },
            },
          ],
        })
        .toStream()
        .to(results)
    },
  },
}
