/** Prints each record on a line; it ends here (Kafka Streams: Printed). */

import { inspect } from 'node:util'
import type { Process } from './processor.ts'

export interface PrintArgs {
  readonly label: string
  /** Records to print; those after pass in silence. Infinity prints all. */
  readonly limit: number
  readonly write: (line: string) => void
}

/** `[label]: key, value`. Values are shown as Node shows them, so that no byte of theirs reaches a terminal as a command. */
export function print<K, V>({ label, limit, write }: PrintArgs): Process<K, V> {
  let left = limit
  return (key, value) => {
    if (left <= 0) return
    left--
    write(`[${label}]: ${shown(key)}, ${shown(value)}`)
  }
}

function shown(value: unknown): string {
  return inspect(value, { depth: 8, breakLength: Number.POSITIVE_INFINITY, compact: true })
}
