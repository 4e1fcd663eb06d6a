/**
 * What a checkpoint says of each store's bytes: how they read, so that they are not read as what they are not, and which topic they came from, where
 * that is no changelog of the store's own, as offsets are that topic's then.
 *
 *     {"counts": "key-value string int64", "recent": "window string int64 10/10", "names": "key-value string string <- people"}
 */

import { StreamError } from '../common/errors.ts'
import { sessionStretches } from '../common/windows.ts'
import { formatOf } from '../serde/format-of.ts'
import type { Checkpoint } from '../state/checkpoint.ts'
import type { StoreSpec } from '../topology/node.ts'

/** By the store's name. */
type Formats = Readonly<Record<string, string>>

const from = ' <- '
const fromTopic = / <- [\w.-]+$/

function formatOfStore(spec: StoreSpec): string {
  const { kind, key, value, windows, session, sliding, sourceTopic } = spec
  const shape = [
    kind,
    formatOf(key),
    formatOf(value),
    ...(windows === undefined ? [] : [`${windows.sizeMs}/${windows.advanceMs}`]),
    ...(session === undefined ? [] : [`${session.gapMs}/${sessionStretches(session).advanceMs}`]),
    ...(sliding === undefined ? [] : [`${sliding.timeDifferenceMs}`]),
  ].join(' ')
  return sourceTopic === undefined ? shape : `${shape}${from}${sourceTopic}`
}

/** How the rows read, wherever they come from. */
function shapeOf(format: string): string {
  return format.replace(fromTopic, '')
}

function formatsOf(specs: readonly StoreSpec[]): Formats {
  return Object.fromEntries(specs.map((spec) => [spec.name, formatOfStore(spec)]))
}

function formatsIn(checkpoint: Checkpoint | null): Formats {
  return checkpoint === null ? {} : (JSON.parse(checkpoint.topology) as Formats)
}

/** What the next checkpoint says: rows of a store that is not here now stay, and so does what is known of them. */
export function formatsText(specs: readonly StoreSpec[], checkpoint: Checkpoint | null): string {
  return JSON.stringify({ ...formatsIn(checkpoint), ...formatsOf(specs) })
}

/** @throws StreamError INVALID_TOPOLOGY for a store whose rows read in another way. */
export function checkFormats(specs: readonly StoreSpec[], checkpoint: Checkpoint | null, taskId: string): void {
  const before = formatsIn(checkpoint)
  for (const [name, format] of Object.entries(formatsOf(specs))) {
    const old = before[name]
    if (old === undefined || shapeOf(old) === shapeOf(format)) continue
    throw new StreamError(
      'INVALID_TOPOLOGY',
      `store ${name} was written as "${old}" and is now declared as "${format}"`,
      {
        hint: 'Its state and changelog cannot be read in the new format: give the store another name, or run under another --app-id.',
        where: { node: name, task: taskId },
      },
    )
  }
}

/** The stores whose rows read as before, and came from another topic. */
export function movedStores(specs: readonly StoreSpec[], checkpoint: Checkpoint | null): ReadonlySet<string> {
  const before = formatsIn(checkpoint)
  const moved = Object.entries(formatsOf(specs)).filter(([name, format]) => (before[name] ?? format) !== format)
  return new Set(moved.map(([name]) => name))
}
