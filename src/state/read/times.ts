/** Times as queries are given them. */

import { StreamError } from '../../common/errors.ts'

/** @throws StreamError INVALID_ARGUMENT for what is no number; infinite times leave an end open. */
export function checkTime(store: string, what: string, time: number): void {
  if (typeof time === 'number' && !Number.isNaN(time)) return
  throw new StreamError('INVALID_ARGUMENT', `store ${store}: ${what} is ${String(time)}, which is no time`, {
    where: { node: store },
    hint: 'Give ms since the epoch, as a number.',
  })
}
