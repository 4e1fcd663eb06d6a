/** The records of every workload: payments as JSON of about 90 bytes, on 10,000 accounts, one each millisecond of event time. */

export interface Payment {
  readonly id: number
  readonly account: string
  readonly amount: number
  readonly currency: string
  readonly status: string
}

const accounts = 10_000
/** 2026-01-01T00:00:00Z */
const startMs = 1_767_225_600_000

/** The payment with this number. Accounts follow a fixed pseudo-random order, so that runs compare. */
export function paymentRecord(number: number): { key: Buffer; value: Buffer; timestamp: number } {
  const account = `account-${String((Math.imul(number, 2654435761) >>> 0) % accounts).padStart(5, '0')}`
  const amount = (number % 10_000) / 100
  const payment: Payment = {
    id: number,
    account,
    amount,
    currency: 'EUR',
    status: number % 2 === 0 ? 'settled' : 'pending',
  }
  return { key: Buffer.from(account), value: Buffer.from(JSON.stringify(payment)), timestamp: startMs + number }
}
