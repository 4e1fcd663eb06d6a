import { inject } from 'vitest'
import { connectKafka } from '../../src/broker/kafka/broker.ts'
import { brokerCompliance } from '../compliance/broker.ts'

brokerCompliance('kafka', async () => ({
  connect: () => connectKafka({ bootstrap: inject('bootstrap') }),
  stop: async () => {},
}))
