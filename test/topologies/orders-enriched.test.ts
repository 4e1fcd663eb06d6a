import { createTestDriver } from 'streamctl/testing'
import { expect, test } from 'vitest'
import topology, { customers, enrichedOrders, orders } from '../../topologies/orders-enriched.ts'

const order = (orderId: string, customerId: string, cents = 1999n) =>
  ({ orderId, customerId, cents, currency: 'EUR' }) as const

test('an order takes what the customer table says at its moment', async () => {
  const driver = await createTestDriver(topology, { partitions: 3 })
  await driver.send(customers, 'c1', { name: 'Ada', tier: 'free', country: null }, 1)
  await driver.send(orders, 'o1', order('o1', 'c1'), 2)
  await driver.send(customers, 'c1', { name: 'Ada L.', tier: 'pro', country: 'GB' }, 3)
  await driver.send(orders, 'o2', order('o2', 'c1', 2n ** 53n + 1n), 4)
  await driver.send(orders, 'o3', order('o3', 'nobody'), 5)
  await driver.send(customers, 'c1', null, 6)
  await driver.send(orders, 'o4', order('o4', 'c1'), 7)

  const results = driver
    .read(enrichedOrders)
    .map(({ key, value, timestamp }) => ({ key, value: { ...value }, timestamp }))
  expect(results).toEqual([
    { key: 'c1', value: { orderId: 'o1', customer: 'Ada', tier: 'free', cents: 1999n, currency: 'EUR' }, timestamp: 2 },
    {
      key: 'c1',
      value: { orderId: 'o2', customer: 'Ada L.', tier: 'pro', cents: 2n ** 53n + 1n, currency: 'EUR' },
      timestamp: 4,
    },
    {
      key: 'nobody',
      value: { orderId: 'o3', customer: 'nobody', tier: null, cents: 1999n, currency: 'EUR' },
      timestamp: 5,
    },
    { key: 'c1', value: { orderId: 'o4', customer: 'c1', tier: null, cents: 1999n, currency: 'EUR' }, timestamp: 7 },
  ])
  await driver.close()
})

test('an order that is not Avro stops the topology before it', async () => {
  const driver = await createTestDriver(topology)
  await expect(driver.sendBytes('orders', Buffer.from('o1'), Buffer.from('{"orderId":"o1"}'))).rejects.toMatchObject({
    code: 'DESERIALIZATION',
    message: expect.stringContaining('the first byte is 123'),
  })
  await driver.close()
})
