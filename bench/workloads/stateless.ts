/** Filter and reshape, no state: half of the payments pass, each as a smaller record. */

import { defineTopology, json, string, topic } from '../../src/index.ts'
import { accountOf, isSettled, type Payment, paymentRecord } from '../payments.ts'
import type { WorkloadKind } from '../workload.ts'

interface Settled {
  readonly id: number
  readonly cents: number
}

export const stateless: WorkloadKind = {
  name: 'stateless',
  summary: 'filter and mapValues',
  readsTable: false,
  repartitions: false,
  restores: false,
  record: paymentRecord,
  make: ({ input, output }) => ({
    topology: defineTopology('bench-stateless', (b) => {
      b.stream(topic(input, { key: string, value: json<Payment>() }))
        .filter((payment) => payment.status === 'settled')
        .mapValues((payment): Settled => ({ id: payment.id, cents: Math.round(payment.amount * 100) }))
        .to(topic(output, { key: string, value: json<Settled>() }))
    }),
    shows: {
      groupOf: (number) => (isSettled(number) ? accountOf(number) : null),
      groupIn: (key) => key.toString(),
      countIn: null,
    },
  }),
  floor: () => (key, value, timestamp, emit) => {
    const payment = JSON.parse(value.toString()) as Payment
    if (payment.status !== 'settled') return
    const settled: Settled = { id: payment.id, cents: Math.round(payment.amount * 100) }
    emit(Buffer.from(key.toString()), Buffer.from(JSON.stringify(settled)), timestamp)
  },
}
