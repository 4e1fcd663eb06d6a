/** Text from records, topics and errors on its way to a terminal: nothing in it may move the cursor, set a title or reorder what is read. */

// C0, DEL and C1 controls, line and paragraph separators, zero-width and bidirectional marks, byte order mark, tags, lone surrogates.
const unsafe =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to catch.
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|\p{Surrogate}/gu

function codeUnits(text: string): string {
  let escaped = ''
  for (let i = 0; i < text.length; i++) escaped += `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`
  return escaped
}

/** For lines of text: every unsafe character as `\u001b`. Line ends are unsafe too: one message stays one line. */
export function escapeText(text: string): string {
  return text.replace(unsafe, codeUnits)
}

/**
 * For serialized JSON. JSON.stringify leaves no raw C0 character, and what is escaped here stands inside strings only, so
 * that a parser reads the same value as before.
 */
export function escapeJson(json: string): string {
  return escapeText(json)
}
