/** What whoever reads a store is told when it is closed meanwhile. */

import { StreamError } from '../common/errors.ts'

export function closedWhileRead(cause?: unknown): StreamError {
  return new StreamError('REBALANCE', 'the store was closed while it was read', {
    cause,
    hint: 'Its partition went to another worker, or the application was stopped: ask again.',
  })
}
