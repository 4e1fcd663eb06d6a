/** Lines of words for word count, from a seed, and an independent model of what comes out. */

/** Numbers in [0, 1) from a seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** Words of uneven frequency: a few are on every other line, most are rare. */
export function randomLines(count: number, random: () => number): readonly string[] {
  return Array.from({ length: count }, () => {
    const words = 1 + Math.floor(random() * 6)
    return Array.from({ length: words }, () => `w${Math.floor(random() ** 3 * 5000)}`).join(' ')
  })
}

/** Every count of every word, in order: exactly-once gives each once, whatever was interrupted when. */
export function expectedCounts(lines: readonly string[]): Map<string, number[]> {
  const totals = new Map<string, number>()
  for (const line of lines) for (const word of line.split(' ')) totals.set(word, (totals.get(word) ?? 0) + 1)
  return new Map([...totals].map(([word, total]) => [word, Array.from({ length: total }, (_, i) => i + 1)]))
}

/** The first words whose counts differ, in words. */
export function differences(found: Map<string, number[]>, expected: Map<string, number[]>): string[] {
  const words = new Set([...found.keys(), ...expected.keys()])
  const wrong = [...words].filter((word) => String(found.get(word)) !== String(expected.get(word)))
  return wrong.slice(0, 5).map((word) => {
    const got = found.get(word) ?? []
    const want = expected.get(word) ?? []
    const at = want.findIndex((count, i) => got[i] !== count)
    return `${word}: ${want.length} counts expected, ${got.length} found, first difference at ${at}: ${got.slice(Math.max(0, at - 2), at + 3)}`
  })
}
