/** `streamctl/testing`: run a topology in a test, without a broker. */

export type { StoreLookup, StoreQueryOptions } from './runtime/queries.ts'
export type {
  KeyedRow,
  PrefixSerializer,
  QueryableKeyValueStore,
  QueryableSessionStore,
  QueryableVersionedStore,
  QueryableWindowStore,
} from './state/read/queryable.ts'
export { checkStoreSupplier } from './testing/byte-store.ts'
export { createTestDriver, type TestDriver } from './testing/driver.ts'
export type { TestDriverOptions } from './testing/options.ts'
export type { TestRecord } from './testing/outputs.ts'
