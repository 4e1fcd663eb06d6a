/** Lines of a stream, a chunk at a time and in order; one too long to be a record is an error, never memory without bound. */

import { StringDecoder } from 'node:string_decoder'
import { StreamError } from '../common/errors.ts'

export interface Line {
  /** From 1. */
  readonly number: number
  readonly text: string
}

const longest = 64 * 1024 * 1024

/**
 * Lines without their ends (LF or CRLF); a byte order mark at the start is dropped, empty lines are left out.
 * @param name of the file, for errors.
 * @throws StreamError INVALID_ARGUMENT for a line above 64 Mi characters.
 */
export async function* readLines(
  source: AsyncIterable<Buffer | string>,
  name: string,
): AsyncGenerator<readonly Line[]> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  let number = 0
  let first = true
  for await (const chunk of source) {
    let text = rest + (typeof chunk === 'string' ? chunk : decoder.write(chunk))
    if (first && text !== '') {
      if (text.startsWith('\ufeff')) text = text.slice(1)
      first = false
    }
    const batch: Line[] = []
    let start = 0
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      number++
      const line = text.slice(start, text[end - 1] === '\r' && end > start ? end - 1 : end)
      if (line !== '') batch.push({ number, text: line })
      start = end + 1
    }
    rest = text.slice(start)
    if (rest.length > longest) {
      throw new StreamError('INVALID_ARGUMENT', `line ${number + 1} of ${name} is longer than ${longest} characters`, {
        hint: 'Give one record per line.',
        where: { file: name, line: number + 1 },
      })
    }
    if (batch.length > 0) yield batch
  }
  rest += decoder.end()
  if (rest !== '') yield [{ number: number + 1, text: rest.endsWith('\r') ? rest.slice(0, -1) : rest }]
}
