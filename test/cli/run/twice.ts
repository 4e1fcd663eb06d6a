/** A topology with two results: the lines, once in `a` and once in `b`. */

export const twice = `
import { defineTopology, string, topic } from 'streamctl'
const text = { key: string, value: string }
export default defineTopology('twice', (b) => {
  const lines = b.stream(topic('lines', text))
  lines.to(topic('a', text))
  lines.to(topic('b', text))
})
`
