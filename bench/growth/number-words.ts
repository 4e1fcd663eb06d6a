/** Counts as people say them. */

const words = [
  [1e6, 'million'],
  [1e3, 'thousand'],
] as const

/** `10 thousand`, `1 million`, `250`. */
export function counted(count: number): string {
  for (const [size, word] of words) if (count >= size) return `${Number((count / size).toPrecision(3))} ${word}`
  return String(count)
}
