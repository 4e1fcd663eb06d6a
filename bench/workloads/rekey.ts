/** Another key, so every record goes through a repartition topic; then a count per key. */

import { defineTopology, int64, json, string, topic } from '../../src/index.ts'
import { accountOf, type Payment, paymentRecord } from '../payments.ts'
import type { WorkloadKind } from '../workload.ts'

/** The digits of an account's name: as many keys as before, on other partitions. */
const digitsOf = (account: string) => account.slice(-5)

export const rekey: WorkloadKind = {
  name: 'rekey',
  summary: 'selectKey, repartition, count',
  readsTable: false,
  repartitions: true,
  restores: true,
  record: paymentRecord,
  make: ({ input, output }) => ({
    topology: defineTopology('bench-rekey', (b) => {
      b.stream(topic(input, { key: string, value: json<Payment>() }))
        .selectKey((payment) => digitsOf(payment.account))
        .groupByKey({ key: string })
        .count('counts')
        .toStream()
        .to(topic(output, { key: string, value: int64 }))
    }),
    shows: {
      groupOf: (number) => digitsOf(accountOf(number)),
      groupIn: (key) => key.toString(),
      countIn: (value) => Number(value.readBigInt64BE()),
    },
  }),
  floor: () => {
    const counts = new Map<string, number>()
    return (_key, value, timestamp, emit) => {
      const payment = JSON.parse(value.toString()) as Payment
      const digits = digitsOf(payment.account)
      const count = (counts.get(digits) ?? 0) + 1
      counts.set(digits, count)
      const bytes = Buffer.allocUnsafe(8)
      bytes.writeBigInt64BE(BigInt(count))
      emit(Buffer.from(digits), bytes, timestamp)
    }
  },
}
