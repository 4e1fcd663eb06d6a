/**
 * What a new version of a topology does to the state and the topics of the one before. Safe is what goes on by itself: nothing
 * that is kept is read as something else, and nothing under way is lost.
 */

import type { Json, LockedRepartition, LockedStore, LockedTopic, TopologyLock } from './lock.ts'

export type Severity = 'safe' | 'reset'

export interface Change {
  readonly severity: Severity
  readonly kind: 'source' | 'sink' | 'repartition' | 'store' | 'sub-topology'
  /** Of the topic or store; the new number of a sub-topology. */
  readonly name: string
  /** What changed and what it means, as one line. */
  readonly message: string
}

export interface Comparison {
  /** The worst of the changes. */
  readonly verdict: 'same' | Severity
  /** Those that need a reset first. */
  readonly changes: readonly Change[]
}

export function compareTopologies(before: TopologyLock, after: TopologyLock): Comparison {
  const changes = [
    ...stores(before, after),
    ...repartitions(before, after),
    ...sources(before, after),
    ...sinks(before, after),
    ...renumbered(before, after),
  ].sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity))
  return { verdict: changes[0]?.severity ?? 'same', changes }
}

const order: readonly Severity[] = ['reset', 'safe']

function stores({ stores: before }: TopologyLock, { stores: after }: TopologyLock): readonly Change[] {
  const change = (severity: Severity, name: string, words: string): Change => {
    return { severity, kind: 'store', name, message: `store ${name}${words}` }
  }
  const { gone, come, kept } = sides(before, after)
  const renamed = pairs(gone, come)
  const isRenamed = (name: string) => renamed.some((pair) => pair.includes(name))
  return [
    ...renamed.map(([from, to]) =>
      change(
        'reset',
        to,
        ` takes the place of ${from}, which was of the same shape: it starts empty, behind what ${from} has counted in`,
      ),
    ),
    ...[...come.keys()]
      .filter((name) => !isRenamed(name))
      .map((name) => change('safe', name, ' is new: it starts empty and takes what comes from now on')),
    ...[...gone.keys()]
      .filter((name) => !isRenamed(name))
      .map((name) =>
        change('safe', name, ' is gone: its changelog and its rows on disk stay until somebody deletes them'),
      ),
    ...kept.flatMap(([name, old, now]) => {
      const fields = changedFields(old, now)
      return fields.map((changed) => {
        const { field, was, is } = changed
        const note = safeBy(changed)
        const told = `: ${field} was ${shown(was)} and is ${shown(is)}, `
        return note === undefined
          ? change('reset', name, `${told}${resetBy(changed)}`)
          : change('safe', name, `${told}${note}`)
      })
    }),
  ]
}

/** Fields of a store that say nothing of how its rows read, with what a change of each means. */
const safeFields: ReadonlyMap<string, string> = new Map([
  ['storage', 'so it is restored from its changelog'],
  ['measured', 'which holds for rows from now on'],
  ['closes', 'which holds for windows that close from now on'],
  ['ownTime', 'which holds for records from now on'],
  ['graceMs', 'which holds for records from now on: what was dropped or deleted stays so'],
  ['ttlMs', 'so rows end by that from now on: what has ended stays so'],
  ['retentionMs', 'which holds for rows from now on: what was deleted stays so'],
])

/** As those, but only from one value to another: with and without one, rows are of two kinds. */
const tunedFields: ReadonlySet<string> = new Set(['historyMs'])

/** The topic that is the changelog of its table, where that has none of its own. */
const changelogField = 'sourceTopic'

/** What makes a change safe; undefined where it is not. */
function safeBy({ field, was, is }: ChangedField): string | undefined {
  const last = lastOf(field)
  if (field === changelogField && was === undefined) {
    return 'so it is read from that topic, once, up to where it was processed; its own changelog stays until somebody deletes it'
  }
  if (tunedFields.has(last) && was !== undefined && is !== undefined) return safeFields.get('retentionMs')
  return safeFields.get(last)
}

/** Why it is not. */
function resetBy({ field, is }: ChangedField): string {
  if (field !== changelogField) return 'so its rows and its changelog do not read, or mean something else'
  return is === undefined
    ? 'so a changelog of its own begins empty, and what was read before is in none'
    : 'so its rows are those of another topic, and nobody downstream is told'
}

/** Follows from others, and is told only when nothing else is. */
const derivedField = 'retentionMs'

interface ChangedField {
  /** `windows.sizeMs` */
  readonly field: string
  readonly was: Json | undefined
  readonly is: Json | undefined
}

function changedFields(before: LockedStore, after: LockedStore): readonly ChangedField[] {
  const found = changedIn(before, after, '')
  const telling = found.filter(({ field }) => lastOf(field) !== derivedField)
  return telling.length > 0 ? telling : found
}

function changedIn(was: Json | undefined, is: Json | undefined, path: string): readonly ChangedField[] {
  if (!isObject(was) || !isObject(is)) return same(was, is) ? [] : [{ field: path, was, is }]
  const fields = [...new Set([...Object.keys(was), ...Object.keys(is)])]
  return fields.flatMap((field) => changedIn(was[field], is[field], path === '' ? field : `${path}.${field}`))
}

function repartitions(
  { repartitions: before }: TopologyLock,
  { repartitions: after }: TopologyLock,
): readonly Change[] {
  const change = (severity: Severity, name: string, words: string): Change => {
    return { severity, kind: 'repartition', name, message: `repartition topic ${name}${words}` }
  }
  const { gone, come, kept } = sides<LockedRepartition>(before, after)
  const lost = 'records under way in it would be lost, unless the application caught up before it was stopped'
  const renamed = pairs(gone, come)
  const newName = new Map(renamed)
  const isNewName = (name: string) => renamed.some(([, to]) => to === name)
  return [
    ...[...gone.keys()].map((name) => {
      const now = newName.get(name)
      return change('reset', name, now === undefined ? ` is gone: ${lost}` : ` is ${now} now: ${lost}`)
    }),
    ...[...come.keys()].filter((name) => !isNewName(name)).map((name) => change('safe', name, ' is new')),
    ...kept.flatMap(([name, old, now]) => [
      ...formatChanges(old, now).map((told) =>
        change('reset', name, `: ${told}, so records under way in it do not read`),
      ),
      ...(old.partitions === now.partitions
        ? []
        : [
            change(
              'reset',
              name,
              `: partitions was ${shown(old.partitions)} and is ${shown(now.partitions)}, so keys map to other tasks than those that hold their state`,
            ),
          ]),
    ]),
  ]
}

function sources({ sources: before }: TopologyLock, { sources: after }: TopologyLock): readonly Change[] {
  const change = (name: string, words: string): Change => {
    // No name of a topic begins so.
    const what = name.startsWith('/') ? 'pattern' : 'topic'
    return { severity: 'safe', kind: 'source', name, message: `${what} ${name}${words}` }
  }
  const { gone, come, kept } = sides(before, after)
  return [
    ...[...come.keys()].map((name) => change(name, ' is read now: from its start, or as startFrom or --from says')),
    ...[...gone.keys()].map((name) =>
      change(name, ' is not read any more: its position is kept until the group forgets it'),
    ),
    ...kept.flatMap(([name, old, now]) =>
      formatChanges(old, now).map((told) => change(name, `: ${told}, so what is in it must read as that`)),
    ),
  ]
}

function sinks({ sinks: before }: TopologyLock, { sinks: after }: TopologyLock): readonly Change[] {
  const change = (name: string, words: string): Change => {
    return { severity: 'safe', kind: 'sink', name, message: `topic ${name}${words}` }
  }
  const { gone, come, kept } = sides(before, after)
  return [
    ...[...come.keys()].map((name) => change(name, ' is written now')),
    ...[...gone.keys()].map((name) => change(name, ' is not written any more')),
    ...kept.flatMap(([name, old, now]) =>
      formatChanges(old, now).map((told) => change(name, `: ${told}, which its readers must know`)),
    ),
  ]
}

/** Tasks and their directories are named by the number of their sub-topology; positions and changelogs are not. */
function renumbered(before: TopologyLock, after: TopologyLock): readonly Change[] {
  return after.subTopologies.flatMap((sub, id): readonly Change[] => {
    const olds = new Set(
      before.subTopologies.flatMap((old, oldId) => {
        const shared =
          meet(old.stores, sub.stores) || meet(old.topics, sub.topics) || meet(old.repartitions, sub.repartitions)
        return shared ? [oldId] : []
      }),
    )
    if (olds.size === 0 || (olds.size === 1 && olds.has(id))) return []
    const was = olds.size === 1 ? `${[...olds]} before` : `made of ${[...olds].join(' and ')}`
    const kept = sub.stores.filter(
      (store) => before.stores[store] !== undefined && !before.subTopologies[id]?.stores.includes(store),
    )
    const restored = kept.length === 0 ? '' : ` and restores ${kept.join(', ')} from the changelog, once`
    return [
      {
        severity: 'safe',
        kind: 'sub-topology',
        name: String(id),
        message: `sub-topology ${id} was ${was}: it goes on where that stood${restored}; stop all processes of the application first`,
      },
    ]
  })
}

function sides<T>(before: Readonly<Record<string, T>>, after: Readonly<Record<string, T>>) {
  const gone = new Map(Object.entries(before).filter(([name]) => !Object.hasOwn(after, name)))
  const come = new Map(Object.entries(after).filter(([name]) => !Object.hasOwn(before, name)))
  const kept = Object.entries(before).flatMap(([name, old]) =>
    Object.hasOwn(after, name) ? [[name, old, after[name] as T] as const] : [],
  )
  return { gone, come, kept }
}

/** What has gone and what has come, where both look the same: a new name rather than two changes. */
function pairs<T>(gone: ReadonlyMap<string, T>, come: ReadonlyMap<string, T>): readonly (readonly [string, string])[] {
  const free = new Map(come)
  return [...gone].flatMap(([from, old]) => {
    const to = [...free].find(([, now]) => same(old as Json, now as Json))?.[0]
    if (to === undefined) return []
    free.delete(to)
    return [[from, to] as const]
  })
}

function formatChanges(before: LockedTopic, after: LockedTopic): readonly string[] {
  return (['key', 'value'] as const)
    .filter((part) => before[part] !== after[part])
    .map((part) => `${part} was ${shown(before[part])} and is ${shown(after[part])}`)
}

function meet(a: readonly string[], b: readonly string[]): boolean {
  return a.some((name) => b.includes(name))
}

function isObject(json: Json | undefined): json is { readonly [key: string]: Json } {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

function same(a: Json | undefined, b: Json | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && canonical(a) === canonical(b))
}

function canonical(json: Json): string {
  return JSON.stringify(json, (_, value: Json) =>
    isObject(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value,
  )
}

function shown(json: Json | undefined): string {
  return json === undefined ? 'not set' : typeof json === 'string' ? json : JSON.stringify(json)
}

function lastOf(field: string): string {
  return field.slice(field.lastIndexOf('.') + 1)
}
