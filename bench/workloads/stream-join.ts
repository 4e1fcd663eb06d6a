/** Payments joined with payments of the same account within ten seconds: both sides of a stream-stream join, from one topic. */

import { defineTopology, json, string, topic, Windows } from '../../src/index.ts'
import { accountOf, type Payment, paymentRecord } from '../payments.ts'
import type { Floor, Shows, WorkloadKind } from '../workload.ts'

interface Pair {
  readonly left: number
  readonly right: number
  readonly amount: number
}

const windowMs = 10_000

/** Which side a payment is on: in runs, as an account's numbers go in steps of 16 and would all be on one side else. */
const isLeft = (id: number): boolean => Math.floor(id / 7) % 2 === 0

const pair = (left: Payment, right: Payment): Pair => ({
  left: left.id,
  right: right.id,
  amount: left.amount + right.amount,
})

export const streamJoin: WorkloadKind = {
  name: 'stream-join',
  summary: 'two streams joined within 10 s; a record has a match in two, mostly',
  readsTable: false,
  repartitions: false,
  restores: false,
  record: paymentRecord,
  sides: ['ours', 'kafkaStreams'],
  make: ({ input, output }) => ({
    topology: defineTopology('bench-stream-join', (b) => {
      const payments = b.stream(topic(input, { key: string, value: json<Payment>() }))
      const left = payments.filter((payment) => isLeft(payment.id))
      const right = payments.filter((payment) => !isLeft(payment.id))
      left
        .join(right, pair, Windows.join('10s', { grace: '10s' }), { name: 'pairs' })
        .to(topic(output, { key: string, value: json<Pair>() }))
    }),
    shows: shows(),
  }),
  floor: (): Floor => {
    const kept = new Map<string, { readonly payment: Payment; readonly timestamp: number }[]>()
    return (key, value, timestamp, emit) => {
      const account = key.toString()
      const payment = JSON.parse(value.toString()) as Payment
      const before = kept.get(account) ?? []
      const open = before.filter((other) => other.timestamp >= timestamp - windowMs)
      const onLeft = isLeft(payment.id)
      for (const other of open) {
        if (isLeft(other.payment.id) === onLeft) continue
        const joined = onLeft ? pair(payment, other.payment) : pair(other.payment, payment)
        emit(Buffer.from(account), Buffer.from(JSON.stringify(joined)), timestamp)
      }
      open.push({ payment, timestamp })
      kept.set(account, open)
    }
  },
}

/** Each record has a pair with every earlier one of its account that is on the other side and within the window. */
function shows(): Shows {
  const earlier = new Map<string, number[]>()
  let next = 0
  return {
    groupOf: accountOf,
    groupIn: (key) => key.toString(),
    countIn: null,
    outputsOf: (number) => {
      if (number < next) {
        earlier.clear()
        next = 0
      }
      let pairs = 0
      for (; next <= number; next++) {
        const account = accountOf(next)
        const open = (earlier.get(account) ?? []).filter((other) => other >= next - windowMs)
        pairs = open.filter((other) => isLeft(other) !== isLeft(next)).length
        open.push(next)
        earlier.set(account, open)
      }
      return pairs
    },
  }
}
