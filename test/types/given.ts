/** Topics, streams and tables that the type tests speak of. They are types alone: nothing here is run. */

import type { KStream } from '../../src/dsl/facade/kstream.ts'
import type { KTable } from '../../src/dsl/facade/ktable.ts'
import { double } from '../../src/serde/double.ts'
import { int64 } from '../../src/serde/int64.ts'
import { json } from '../../src/serde/json.ts'
import { string } from '../../src/serde/string.ts'
import { topic } from '../../src/serde/topic.ts'
import { type Customer, counts, customers, type Order, orders } from '../dsl/fixtures.ts'

export { type Customer, counts, customers, type Order, orders }

export interface Paid extends Order {
  readonly at: number
}

export const payments = topic('payments', { key: string, value: json<Paid>() })
export const numbered = topic('numbered', { key: int64, value: json<Customer>() })
export const amounts = topic('amounts', { key: string, value: double })

export declare const stream: KStream<string, Order>
export declare const table: KTable<string, Customer | null>
export declare const byNumber: KTable<bigint, Customer | null>
