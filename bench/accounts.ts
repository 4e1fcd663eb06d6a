/** The table that payments are enriched from: one row per account, all of them older than the first payment. */

import { accountCount, accountName, type Payment, timeOf } from './payments.ts'
import type { InputRecord } from './workload.ts'

export interface Account {
  readonly tier: string
  readonly country: string
}

/** A payment with its account's row. */
export interface Enriched {
  readonly id: number
  readonly amount: number
  readonly tier: string
  readonly country: string
}

export const enriched = ({ id, amount }: Payment, { tier, country }: Account): Enriched => ({
  id,
  amount,
  tier,
  country,
})

const tiers = ['basic', 'silver', 'gold']
const countries = ['DE', 'FR', 'PL', 'ES', 'IT']

/** The row of the account with this number. */
function accountOfNumber(number: number): Account {
  return {
    tier: tiers[number % tiers.length] as string,
    country: countries[number % countries.length] as string,
  }
}

export function accountRecord(number: number): InputRecord {
  return {
    key: Buffer.from(accountName(number)),
    value: Buffer.from(JSON.stringify(accountOfNumber(number))),
    timestamp: timeOf(-1),
  }
}

/** The table as it is in memory. */
export const accountsByName: ReadonlyMap<string, Account> = new Map(
  Array.from({ length: accountCount }, (_, number) => [accountName(number), accountOfNumber(number)]),
)
