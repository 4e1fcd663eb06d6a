/** Lines as ink draws them: one text each, so that no line can wrap and push the others down. */

import { Box, Text } from 'ink'
import { escapeText } from '../escape.ts'
import type { Line, Piece } from './line.ts'
import type { Look, Tone } from './look.ts'

const colours: Readonly<Record<Tone, string | undefined>> = {
  plain: undefined,
  dim: undefined,
  strong: undefined,
  good: 'green',
  info: 'cyan',
  warn: 'yellow',
  bad: 'red',
}

export function Screen({ lines, look }: { readonly lines: readonly Line[]; readonly look: Look }) {
  return (
    <Box flexDirection='column' height={lines.length} overflow='hidden'>
      {lines.map((line, row) => (
        <Row key={row} line={line} look={look} />
      ))}
    </Box>
  )
}

function Row({ line, look }: { readonly line: Line; readonly look: Look }) {
  return (
    <Box height={1} flexShrink={0}>
      <Text wrap='truncate'>
        {line.length === 0 ? ' ' : line.map((piece, place) => <Toned key={place} piece={piece} look={look} />)}
      </Text>
    </Box>
  )
}

function Toned({ piece, look }: { readonly piece: Piece; readonly look: Look }) {
  // The model has escaped what it took from outside; here nothing can have been forgotten.
  const text = escapeText(piece.text)
  if (!look.colour || piece.tone === 'plain') return <Text>{text}</Text>
  const colour = colours[piece.tone]
  return (
    <Text
      bold={piece.tone === 'strong' || piece.tone === 'bad'}
      dimColor={piece.tone === 'dim'}
      {...(colour === undefined ? {} : { color: colour })}
    >
      {text}
    </Text>
  )
}
