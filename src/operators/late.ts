/** Records that came after their window had closed, on their way to a topic of the user's instead of nowhere. */

import type { Header, Headers } from '../common/record.ts'
import type { Process } from './processor.ts'

/** Takes a record and the window that had closed: [start, end) or [start, end], as the windows are. */
export type Late<K, V> = (
  key: K,
  value: V,
  timestamp: number,
  headers: Headers,
  streamTime: number,
  start: number,
  end: number,
) => void

/** Key, value and timestamp as they came; the headers too, and after them ours, which replace those of an earlier time. */
export function late<K, V>(node: string, next: Process<K, V>): Late<K, V> {
  return (key, value, timestamp, headers, streamTime, start, end) => {
    const ours: readonly Header[] = [
      header('streamctl.late.node', node),
      header('streamctl.late.window-start', start),
      header('streamctl.late.window-end', end),
      header('streamctl.late.stream-time', streamTime),
    ]
    const theirs = headers.filter(({ key }) => !key.startsWith('streamctl.late.'))
    next(key, value, timestamp, [...theirs, ...ours])
  }
}

/** Where nobody wants them. */
export const nobody: Late<unknown, unknown> = () => undefined

function header(key: string, value: string | number): Header {
  return { key, value: Buffer.from(String(value)) }
}
