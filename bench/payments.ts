/** The records of every workload: payments as JSON of about 90 bytes, on 10,000 accounts, one each millisecond of event time. */

import type { InputRecord } from './workload.ts'

export interface Payment {
  readonly id: number
  readonly account: string
  readonly amount: number
  readonly currency: string
  readonly status: string
}

export const accountCount = 10_000
/** 2026-01-01T00:00:00Z */
const startMs = 1_767_225_600_000

/** Accounts follow a fixed pseudo-random order, so that runs compare. */
export function accountOf(number: number): string {
  return accountName((Math.imul(number, 2654435761) >>> 0) % accountCount)
}

export function accountName(account: number): string {
  return `account-${String(account).padStart(5, '0')}`
}

export function isSettled(number: number): boolean {
  return number % 2 === 0
}

export function timeOf(number: number): number {
  return startMs + number
}

/** The payment with this number, from 0. */
export function paymentRecord(number: number): InputRecord {
  const account = accountOf(number)
  const payment: Payment = {
    id: number,
    account,
    amount: (number % 10_000) / 100,
    currency: 'EUR',
    status: isSettled(number) ? 'settled' : 'pending',
  }
  return { key: Buffer.from(account), value: Buffer.from(JSON.stringify(payment)), timestamp: timeOf(number) }
}
