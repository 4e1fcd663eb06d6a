/** What a store may be kept on: a word of ours, or a supplier of the user's. */

import type { Storage, StoreSupplier } from '../common/storage.ts'
import { isLegalName } from '../serde/topic.ts'
import type { SourceLocation } from '../topology/node.ts'
import { invalid } from './invalid.ts'

const hint = "Give 'disk', the default, 'memory', or a supplier: { name: 'ours', open: (context) => byteStore }."

/**
 * @param what whose storage it is: `store totals`.
 * @throws StreamError INVALID_TOPOLOGY when it is neither.
 */
export function requireStorage(given: unknown, what: string, node: string, site: SourceLocation | undefined): Storage {
  if (given === 'disk' || given === 'memory') return given
  const said = `${what}: its storage`
  if (typeof given !== 'object' || given === null) throw invalid(`${said} is ${shown(given)}`, hint, node, site)
  const { name, open, then } = given as Partial<Record<'name' | 'open' | 'then', unknown>>
  if (typeof then === 'function') {
    then.call(given, undefined, () => undefined)
    throw invalid(
      `${said} is a promise`,
      'Await the supplier before defineTopology (top-level await works in a topology file); its `open` may be async.',
      node,
      site,
    )
  }
  if (typeof name !== 'string' || !isLegalName(name)) {
    throw invalid(
      `${said} is a supplier ${name === undefined ? 'without a name' : `whose name ${shown(name)} is not a legal one`}`,
      'Give it a `name` of 1 to 249 of the characters a-z A-Z 0-9 . _ -',
      node,
      site,
    )
  }
  if (name === 'disk' || name === 'memory') {
    throw invalid(`${said} is a supplier with the name ${name}, which is taken`, 'Give it another name.', node, site)
  }
  if (typeof open !== 'function') {
    throw invalid(
      `${said} is the supplier ${name}, whose \`open\` is not a function but ${open === null ? 'null' : typeof open}`,
      hint,
      node,
      site,
    )
  }
  return given as StoreSupplier
}

/** Where stores are kept, and whose suppliers' names are taken. */
export class Storages {
  readonly #fallback: Storage
  readonly #suppliers = new Map<string, StoreSupplier>()

  /** @param fallback of stores that say nothing. */
  constructor(fallback: Storage) {
    this.#fallback = fallback
    if (typeof fallback === 'object') this.#suppliers.set(fallback.name, fallback)
  }

  /** @throws StreamError INVALID_TOPOLOGY when it is no storage, or another supplier has its name. */
  of(given: unknown, store: string, site: SourceLocation | undefined): Storage {
    if (given === undefined) return this.#fallback
    const storage = requireStorage(given, `store ${store}`, store, site)
    if (typeof storage === 'string') return storage
    const known = this.#suppliers.get(storage.name)
    if (known !== undefined && known !== storage) {
      throw invalid(
        `store ${store}: its storage is a second supplier with the name ${storage.name}`,
        'Make the supplier once, and give that same value to all of its stores; or give each its own name.',
        store,
        site,
      )
    }
    this.#suppliers.set(storage.name, storage)
    return storage
  }
}

function shown(given: unknown): string {
  if (typeof given === 'string') return JSON.stringify(given)
  return given === null || typeof given === 'number' || typeof given === 'boolean' ? String(given) : `a ${typeof given}`
}
