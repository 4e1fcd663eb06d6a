/** Where a text stops being JSON (RFC 8259). Runs only after `JSON.parse` has refused it; no recursion, so depth costs no stack. */

export interface JsonError {
  /** Index of the first character that cannot be there; the length when the text just ends. */
  readonly at: number
  readonly expected: string
}

const space = /[ \t\n\r]*/y
const scalar = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these inside a string.
const plain = /[^"\\\u0000-\u001f]*/y
const escaped = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y

/** The first place where the text breaks the grammar. */
export function jsonError(text: string): JsonError {
  const open: ('}' | ']')[] = []
  let at = 0
  const take = (pattern: RegExp): boolean => {
    pattern.lastIndex = at
    if (!pattern.test(text)) return false
    at = pattern.lastIndex
    return true
  }
  /** Past a whole string, or at the place where it breaks. */
  const takeString = (): boolean => {
    at++
    do take(plain)
    while (take(escaped))
    if (text[at] !== '"') return false
    at++
    return true
  }
  let state: 'value' | 'first value' | 'first key' | 'key' | 'after' = 'value'
  for (;;) {
    take(space)
    const c = text[at]
    if (state === 'after') {
      const close = open.at(-1)
      if (close === undefined) return { at, expected: 'the end of the text' }
      if (c === ',') {
        at++
        state = close === '}' ? 'key' : 'value'
      } else if (c === close) {
        at++
        open.pop()
      } else return { at, expected: `"," or "${close}"` }
    } else if (c === (state === 'first key' ? '}' : state === 'first value' ? ']' : undefined) && c !== undefined) {
      at++
      open.pop()
      state = 'after'
    } else if (state === 'key' || state === 'first key') {
      if (c !== '"') return { at, expected: state === 'key' ? 'a key in quotes' : 'a key in quotes or "}"' }
      if (!takeString()) return { at, expected: 'a legal character of a string or its closing quote' }
      take(space)
      if (text[at] !== ':') return { at, expected: '":"' }
      at++
      state = 'value'
    } else if (c === '{' || c === '[') {
      at++
      open.push(c === '{' ? '}' : ']')
      state = c === '{' ? 'first key' : 'first value'
    } else if (c === '"') {
      if (!takeString()) return { at, expected: 'a legal character of a string or its closing quote' }
      state = 'after'
    } else {
      if (!take(scalar)) return { at, expected: state === 'value' ? 'a value' : 'a value or "]"' }
      state = 'after'
    }
  }
}
