/** The table that payments are enriched from: one row per account, all of them older than the first payment. */

import { accountName, timeOf } from './payments.ts'
import type { InputRecord } from './workload.ts'

export interface Account {
  readonly tier: string
  readonly country: string
}

const tiers = ['basic', 'silver', 'gold']
const countries = ['DE', 'FR', 'PL', 'ES', 'IT']

export function accountRecord(number: number): InputRecord {
  const account: Account = {
    tier: tiers[number % tiers.length] as string,
    country: countries[number % countries.length] as string,
  }
  return {
    key: Buffer.from(accountName(number)),
    value: Buffer.from(JSON.stringify(account)),
    timestamp: timeOf(-1),
  }
}
