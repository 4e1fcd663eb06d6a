/** The error for an argument of another kind than the call takes. */

import type { StreamError } from '../../common/errors.ts'
import { callSite } from '../call-site.ts'
import { invalid } from '../invalid.ts'
import type { StreamState, TableState } from '../stream-state.ts'

export function notA(what: 'stream' | 'table', method: string, { graph, node }: StreamState | TableState): StreamError {
  const call = `${graph.nameOf(node)}.${method}`
  const hint =
    what === 'stream' ? 'Pass what b.stream or an operator gives.' : 'Pass what b.table, toTable or an aggregate gives.'
  return invalid(`${call} was not given a ${what}`, hint, call, callSite())
}
