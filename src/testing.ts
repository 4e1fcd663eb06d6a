/** `streamctl/testing`: run a topology in a test, without a broker. */

export { createTestDriver, type TestDriver, type TestDriverOptions, type TestRecord } from './testing/driver.ts'
