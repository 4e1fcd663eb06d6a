/** Answers about different partitions of a store as one. */

import type { Answer } from './answer.ts'
import { isOfOneKey, type Question } from './question.ts'

/** Rows of all, in the order of the store; of equal keys those of the lower partition first. */
export function mergeAnswers(answers: readonly Answer[], question: Question): Answer {
  const { limit, reverse } = question
  const found = answers
    .filter(({ partitions }) => partitions.length > 0)
    .sort((a, b) => (a.partitions[0] as number) - (b.partitions[0] as number))
  const partitions = found.flatMap(({ partitions }) => partitions).sort((a, b) => a - b)
  const count = found.reduce((sum, answer) => sum + answer.count, 0)
  // The rows of a key are those of the first partition that has it.
  if (isOfOneKey(question)) {
    const { rows, more } = found.find((answer) => answer.rows.length > 0) ?? { rows: [], more: false }
    return { partitions, rows, more, count }
  }
  const rows = found.flatMap(({ rows }) => rows).sort((a, b) => compare(a.order, b.order) * (reverse ? -1 : 1))
  return {
    partitions,
    rows: rows.slice(0, limit),
    more: rows.length > limit || found.some(({ more }) => more),
    count,
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
