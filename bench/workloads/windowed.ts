/** Count and sum per account and minute: the workload that a payments team runs. */

import { defineTopology, json, string, topic, Windows, windowed as windowedKey } from '../../src/index.ts'
import { accountOf, type Payment, paymentRecord, timeOf } from '../payments.ts'
import type { WorkloadKind } from '../workload.ts'

interface Total {
  readonly count: number
  readonly sum: number
}

const minuteMs = 60_000
const minuteKey = windowedKey(string, '1m')

export const windowed: WorkloadKind = {
  name: 'windowed',
  summary: '1-minute count and sum per key',
  readsTable: false,
  repartitions: false,
  restores: false,
  record: paymentRecord,
  make: ({ input, output }) => ({
    topology: defineTopology('bench-windowed', (b) => {
      b.stream(topic(input, { key: string, value: json<Payment>() }))
        .groupByKey()
        .windowedBy(Windows.tumbling('1m', { grace: '1m' }))
        .aggregate('totals', {
          init: (): Total => ({ count: 0, sum: 0 }),
          add: (total, payment) => ({ count: total.count + 1, sum: total.sum + payment.amount }),
          serde: json,
        })
        .toStream()
        .to(topic(output, { key: minuteKey, value: json<Total>() }))
    }),
    shows: {
      groupOf: (number) => `${accountOf(number)}@${minuteOf(timeOf(number))}`,
      groupIn: (bytes) => {
        const { key, start } = minuteKey.deserialize(bytes)
        return `${key}@${start}`
      },
      countIn: (value) => (JSON.parse(value.toString()) as Total).count,
    },
  }),
  floor: () => {
    const totals = new Map<string, Total>()
    return (key, value, timestamp, emit) => {
      const payment = JSON.parse(value.toString()) as Payment
      const account = key.toString()
      const start = minuteOf(timestamp)
      const group = `${account}@${start}`
      const before = totals.get(group)
      const total =
        before === undefined
          ? { count: 1, sum: payment.amount }
          : { count: before.count + 1, sum: before.sum + payment.amount }
      totals.set(group, total)
      emit(Buffer.from(group), Buffer.from(JSON.stringify(total)), timestamp)
    }
  },
}

function minuteOf(timestamp: number): number {
  return timestamp - (timestamp % minuteMs)
}
