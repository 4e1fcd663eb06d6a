/** The serdes that need nothing but a name, for the command line. */

import { StreamError } from '../common/errors.ts'
import { bytes } from './bytes.ts'
import { double } from './double.ts'
import { int64 } from './int64.ts'
import { json } from './json.ts'
import type { AnySerde } from './serde.ts'
import { string } from './string.ts'

const formats: ReadonlyMap<string, AnySerde> = new Map(
  [string, int64, double, bytes, json].map((serde) => [serde.format, serde]),
)

/** `string`, `int64`, `double`, `bytes`, `json`. */
export const formatNames: readonly string[] = Object.freeze([...formats.keys()])

/**
 * The serde of a name.
 * @throws StreamError INVALID_ARGUMENT when there is none.
 */
export function serdeByName(name: string): AnySerde {
  const serde = formats.get(name)
  if (serde !== undefined) return serde
  throw new StreamError('INVALID_ARGUMENT', `${JSON.stringify(name)} is not a format`, {
    hint: `Use one of ${formatNames.join(', ')}.`,
  })
}
