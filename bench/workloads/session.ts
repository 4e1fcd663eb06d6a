/** Count and sum per account and session: an account is silent for longer than the gap about once in eleven payments. */

import { defineTopology, json, sessionWindowed, string, topic, Windows } from '../../src/index.ts'
import { accountOf, type Payment, paymentRecord, timeOf } from '../payments.ts'
import type { Shows, WorkloadKind } from '../workload.ts'

interface Total {
  readonly count: number
  readonly sum: number
}

const gapMs = 10_000
const sessionKey = sessionWindowed(string)
const none: Total = { count: 0, sum: 0 }

const plus = (total: Total, payment: Payment): Total => ({ count: total.count + 1, sum: total.sum + payment.amount })

export const session: WorkloadKind = {
  name: 'session',
  summary: 'count and sum per key and session of 10 s of silence',
  readsTable: false,
  repartitions: false,
  restores: false,
  record: paymentRecord,
  sides: ['ours', 'kafkaStreams'],
  make: ({ input, output }) => ({
    topology: defineTopology('bench-session', (b) => {
      b.stream(topic(input, { key: string, value: json<Payment>() }))
        .groupByKey()
        .windowedBy(Windows.session('10s', { grace: '1m' }))
        .aggregate('totals', {
          init: () => none,
          add: plus,
          merge: (total, other) => ({ count: total.count + other.count, sum: total.sum + other.sum }),
          serde: json<Total>(),
        })
        .toStream()
        // A session that has grown is deleted under its old key: that shows nothing.
        .filter((total) => total !== null)
        .to(topic(output, { key: sessionKey, value: json<Total>() }))
    }),
    shows: shows(),
  }),
  floor: () => {
    const sessions = new Map<string, { readonly start: number; readonly end: number; readonly total: Total }>()
    return (key, value, timestamp, emit) => {
      const account = key.toString()
      const payment = JSON.parse(value.toString()) as Payment
      const before = sessions.get(account)
      const goesOn = before !== undefined && timestamp - before.end <= gapMs
      const start = goesOn ? before.start : timestamp
      const total = plus(goesOn ? before.total : none, payment)
      sessions.set(account, { start, end: timestamp, total })
      emit(Buffer.from(`${account}@${start}`), Buffer.from(JSON.stringify(total)), timestamp)
    }
  },
}

/** The start of a session stays as it is, since payments come in order: with the account it names the group. */
function shows(): Shows {
  /** Of the session of each payment, as far as was asked for. */
  const starts: number[] = []
  const latest = new Map<string, number>()
  return {
    groupOf: (number) => {
      for (let next = starts.length; next <= number; next++) {
        const account = accountOf(next)
        const before = latest.get(account)
        starts.push(before === undefined || next - before > gapMs ? next : (starts[before] as number))
        latest.set(account, next)
      }
      return `${accountOf(number)}@${timeOf(starts[number] as number)}`
    },
    groupIn: (bytes) => {
      const { key, start } = sessionKey.deserialize(bytes)
      return `${key}@${start}`
    },
    countIn: (value) => (JSON.parse(value.toString()) as Total).count,
  }
}
