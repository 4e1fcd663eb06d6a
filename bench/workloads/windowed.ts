/** Count and sum per account and minute: the workload that a payments team runs. */

import { defineTopology, json, string, topic, Windows, windowed } from '../../src/index.ts'
import { type Payment, paymentRecord } from '../payments.ts'
import type { Workload } from '../workload.ts'

const payments = topic('bench-payments', { key: string, value: json<Payment>() })
const totals = topic('bench-totals', { key: windowed(string, '1m'), value: json<{ count: number; sum: number }>() })

export const windowedWorkload: Workload = {
  name: 'windowed',
  summary: '1-minute count and sum per key',
  topology: defineTopology('bench-windowed', (b) => {
    b.stream(payments)
      .groupByKey()
      .windowedBy(Windows.tumbling('1m', { grace: '1m' }))
      .aggregate('totals', {
        init: () => ({ count: 0, sum: 0 }),
        add: (total, payment) => ({ count: total.count + 1, sum: total.sum + payment.amount }),
        serde: json,
      })
      .toStream()
      .to(totals)
  }),
  input: { name: payments.name, partitions: 4 },
  output: { name: totals.name, partitions: 4 },
  record: paymentRecord,
}
