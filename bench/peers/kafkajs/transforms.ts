/** The four workloads as loops: one each, two where a repartition topic lies between. */

import type { Kafka, KafkaMessage, Message } from 'kafkajs'
import type { Account } from '../../accounts.ts'
import type { Payment } from '../../payments.ts'
import type { RunSpec } from '../../sides/side.ts'
import { partitions } from '../../workload.ts'
import type { LoopOptions } from './loop.ts'

type Transform = (message: KafkaMessage) => Message | undefined

export async function loopsOf(
  kafka: Kafka,
  spec: RunSpec,
  accounts: ReadonlyMap<string, Account>,
): Promise<readonly LoopOptions[]> {
  const { app, input, output, workload } = spec
  const loop = (transform: Transform) => [{ groupId: app, input, output, transform }]
  switch (workload) {
    case 'stateless':
      return loop(stateless)
    case 'windowed':
      return loop(windowed())
    case 'table-join':
      return loop(joinedWith(accounts))
    case 'rekey': {
      const between = `${app}-by-digits`
      const admin = kafka.admin()
      await admin.connect()
      await admin.createTopics({
        waitForLeaders: true,
        topics: [{ topic: between, numPartitions: partitions, configEntries: [{ name: 'retention.ms', value: '-1' }] }],
      })
      await admin.disconnect()
      return [
        { groupId: app, input, output: between, transform: byDigits },
        { groupId: `${app}-counts`, input: between, output, transform: counted() },
      ]
    }
    default:
      throw new Error(`no workload ${workload}`)
  }
}

function payment(message: KafkaMessage): Payment {
  return JSON.parse(String(message.value)) as Payment
}

function stateless({ key, value, timestamp }: KafkaMessage): Message | undefined {
  const { id, amount, status } = JSON.parse(String(value)) as Payment
  if (status !== 'settled') return undefined
  return { key, value: JSON.stringify({ id, cents: Math.round(amount * 100) }), timestamp }
}

function windowed(): Transform {
  const totals = new Map<string, { count: number; sum: number }>()
  return (message) => {
    const account = String(message.key)
    const start = Math.floor(Number(message.timestamp) / 60_000) * 60_000
    const group = `${account}@${start}`
    const before = totals.get(group) ?? { count: 0, sum: 0 }
    const total = { count: before.count + 1, sum: before.sum + payment(message).amount }
    totals.set(group, total)
    const key = Buffer.alloc(account.length + 8)
    key.write(account)
    key.writeBigInt64BE(BigInt(start), account.length)
    return { key, value: JSON.stringify(total), timestamp: message.timestamp }
  }
}

function joinedWith(accounts: ReadonlyMap<string, Account>): Transform {
  return (message) => {
    const account = accounts.get(String(message.key))
    if (account === undefined) return undefined
    const { id, amount } = payment(message)
    const { tier, country } = account
    return { key: message.key, value: JSON.stringify({ id, amount, tier, country }), timestamp: message.timestamp }
  }
}

function byDigits(message: KafkaMessage): Message {
  return { key: payment(message).account.slice(-5), value: message.value, timestamp: message.timestamp }
}

function counted(): Transform {
  const counts = new Map<string, number>()
  return ({ key, timestamp }) => {
    const digits = String(key)
    const count = (counts.get(digits) ?? 0) + 1
    counts.set(digits, count)
    const value = Buffer.alloc(8)
    value.writeBigInt64BE(BigInt(count))
    return { key, value, timestamp }
  }
}
