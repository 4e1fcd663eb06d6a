// How often each word has come so far: the smallest topology that keeps state.
import { defineTopology, int64, string, topic } from 'streamctl'

export const lines = topic('lines', { key: string, value: string })
export const wordCounts = topic('word-counts', { key: string, value: int64 })

export default defineTopology('word-count', (b) => {
  b.stream(lines)
    .flatMapValues((line) => line.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [])
    .groupBy('by-word', (word) => word, { key: string, value: string })
    .count('counts')
    .toStream()
    .to(wordCounts)
})
