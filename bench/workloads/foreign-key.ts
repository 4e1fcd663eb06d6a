/** A table of payments by their ids joined with the rows of their accounts, which they name in their values: a foreign-key join. */

import { defineTopology, json, string, topic } from '../../src/index.ts'
import { type Account, accountsByName, type Enriched, enriched } from '../accounts.ts'
import { accountOf, type Payment, paymentRecord } from '../payments.ts'
import type { WorkloadKind } from '../workload.ts'

/**
 * Whether it is the row that the payment joins to. It may be given out again: Kafka Streams answers a payment when that comes, and
 * once more when its cache lets go of an account that came shortly before.
 */
function includes(value: Buffer): number {
  const { id, tier, country } = JSON.parse(value.toString()) as Enriched
  const account = accountsByName.get(accountOf(id))
  return account?.tier === tier && account.country === country ? 1 : 0
}

export const foreignKey: WorkloadKind = {
  name: 'foreign-key',
  summary: 'table of payments joined by foreign key with a table of 10,000 keys',
  readsTable: true,
  repartitions: true,
  restores: false,
  record: (number) => ({ ...paymentRecord(number), key: Buffer.from(String(number)) }),
  sides: ['ours', 'kafkaStreams'],
  make: ({ input, output, table }) => ({
    topology: defineTopology('bench-foreign-key', (b) => {
      const accounts = b.table(topic(table, { key: string, value: json<Account>() }), { store: 'accounts' })
      b.stream(topic(input, { key: string, value: json<Payment>() }))
        .toTable('payments')
        .join(accounts, {
          name: 'enriched',
          foreignKey: (payment) => payment.account,
          joiner: enriched,
        })
        .toStream()
        .to(topic(output, { key: string, value: json<Enriched>() }))
    }),
    shows: { groupOf: String, groupIn: (key) => key.toString(), countIn: includes },
  }),
  floor: () => {
    const payments = new Map<string, Payment>()
    // Whose results are to be made again when an account changes.
    const referring = new Map<string, Set<string>>()
    return (key, value, timestamp, emit) => {
      const id = key.toString()
      const payment = JSON.parse(value.toString()) as Payment
      const before = payments.get(id)
      if (before !== undefined) referring.get(before.account)?.delete(id)
      payments.set(id, payment)
      const others = referring.get(payment.account) ?? new Set()
      referring.set(payment.account, others.add(id))
      const account = accountsByName.get(payment.account)
      if (account === undefined) return
      emit(Buffer.from(id), Buffer.from(JSON.stringify(enriched(payment, account))), timestamp)
    }
  },
}
