// Avro orders, each with what the customer table says of its buyer at that moment.
import { type AvroType, avro, defineTopology, string, topic } from 'streamctl'

export const Order = {
  type: 'record',
  name: 'Order',
  namespace: 'shop',
  fields: [
    { name: 'orderId', type: 'string' },
    { name: 'customerId', type: 'string' },
    { name: 'cents', type: 'long' },
    { name: 'currency', type: { type: 'enum', name: 'Currency', symbols: ['EUR', 'USD'] } },
  ],
} as const

export const Customer = {
  type: 'record',
  name: 'Customer',
  namespace: 'shop',
  fields: [
    { name: 'name', type: 'string' },
    { name: 'tier', type: { type: 'enum', name: 'Tier', symbols: ['free', 'pro'] } },
    { name: 'country', type: ['null', 'string'], default: null },
  ],
} as const

export const EnrichedOrder = {
  type: 'record',
  name: 'EnrichedOrder',
  namespace: 'shop',
  fields: [
    { name: 'orderId', type: 'string' },
    { name: 'customer', type: 'string' },
    { name: 'tier', type: ['null', { type: 'enum', name: 'Tier', symbols: ['free', 'pro'] }] },
    { name: 'cents', type: 'long' },
    { name: 'currency', type: { type: 'enum', name: 'Currency', symbols: ['EUR', 'USD'] } },
  ],
} as const

export const orders = topic('orders', { key: string, value: avro(Order) })
export const customers = topic('customers', { key: string, value: avro(Customer) })
export const enrichedOrders = topic('orders-enriched', { key: string, value: avro(EnrichedOrder) })

function enrich(
  order: AvroType<typeof Order>,
  customer: AvroType<typeof Customer> | null,
): AvroType<typeof EnrichedOrder> {
  const { orderId, customerId, cents, currency } = order
  return { orderId, customer: customer?.name ?? customerId, tier: customer?.tier ?? null, cents, currency }
}

export default defineTopology('orders-enriched', (b) => {
  const known = b.table(customers, { store: 'customers' })
  b.stream(orders)
    .selectKey((order) => order.customerId)
    .leftJoin(known, (order, customer) => enrich(order, customer), {
      name: 'orders-by-customer',
      key: string,
      value: orders.value,
    })
    .to(enrichedOrders)
})
