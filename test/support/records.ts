/** Records as plain objects, to be compared by what they hold rather than by where it lies. */

import type { ConsumerRecord } from '../../src/common/record.ts'

export type RecordFields = Pick<ConsumerRecord, 'offset' | 'timestamp' | 'key' | 'value' | 'headers'>

export function fieldsOf({ offset, timestamp, key, value, headers }: ConsumerRecord): RecordFields {
  return { offset, timestamp, key, value, headers }
}
