/** Each payment enriched with its account's row, from a table topic of 10,000 rows that is there before. */

import { defineTopology, json, string, topic } from '../../src/index.ts'
import { type Account, accountsByName, type Enriched, enriched } from '../accounts.ts'
import { accountOf, type Payment, paymentRecord } from '../payments.ts'
import type { WorkloadKind } from '../workload.ts'

export const tableJoin: WorkloadKind = {
  name: 'table-join',
  summary: 'stream joined with a table of 10,000 keys',
  readsTable: true,
  repartitions: false,
  restores: false,
  record: paymentRecord,
  make: ({ input, output, table }) => ({
    topology: defineTopology('bench-table-join', (b) => {
      const accounts = b.table(topic(table, { key: string, value: json<Account>() }), { store: 'accounts' })
      b.stream(topic(input, { key: string, value: json<Payment>() }))
        .join(accounts, enriched)
        .to(topic(output, { key: string, value: json<Enriched>() }))
    }),
    shows: { groupOf: accountOf, groupIn: (key) => key.toString(), countIn: null },
  }),
  floor: () => (key, value, timestamp, emit) => {
    const account = key.toString()
    const row = accountsByName.get(account)
    if (row === undefined) return
    const joined = enriched(JSON.parse(value.toString()) as Payment, row)
    emit(Buffer.from(account), Buffer.from(JSON.stringify(joined)), timestamp)
  },
}
