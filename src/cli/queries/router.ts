/**
 * Finds the answer to a query, wherever the partitions are that it is about: here first, then in the processes that have the rest. An answer
 * is whole: it is of each partition once, or says which are missing.
 */

import type { GroupDescription } from '../../broker/port.ts'
import type { Plan } from '../../runtime/plan.ts'
import { homePartition, type QueryableStore, queryableStores } from '../../runtime/queries.ts'
import { type Answer, type Ask, nothing } from './answer.ts'
import { mergeAnswers } from './merge.ts'
import { type Owners, ownersOf } from './owners.ts'
import { isOfOneKey, keyParam, type Question } from './question.ts'
import { refuse } from './refusal.ts'
import { askRemote, mayHaveMoved } from './remote.ts'
import type { Queried } from './server.ts'

export interface RouterParts {
  readonly plan: Plan
  /** Those of this process; each has the whole of every global table. */
  readonly engines: readonly Ask[]
  /** host:port by which the other processes know this one. */
  readonly self: string
  readonly describeGroup: () => Promise<GroupDescription>
}

export function router({ plan, engines, self, describeGroup }: RouterParts): Queried {
  /** As it was last looked at; it is looked at anew when it turns out to be wrong. */
  let group: GroupDescription | undefined

  const here = async (question: Question): Promise<Answer> =>
    mergeAnswers(await Promise.all(engines.map((ask) => ask(question))), question)

  async function elsewhere(store: QueryableStore, question: Question, missing: readonly number[]): Promise<Answer> {
    group ??= await describeGroup()
    const servers = serversOf(store, ownersOf(plan, store.name, group), missing, self)
    return mergeAnswers(await Promise.all(servers.map((server) => askRemote(server, plan.appId, question))), question)
  }

  async function everywhere(store: QueryableStore, question: Question): Promise<Answer> {
    const wanted = partitionsOf(store, question)
    const isWhole = ({ partitions }: Answer): boolean =>
      partitions.length === wanted.length && wanted.every((one, index) => partitions[index] === one)
    const found = await here(question)
    if (isWhole(found)) return found
    const missing = wanted.filter((partition) => !found.partitions.includes(partition))
    for (let isLast = group === undefined; ; isLast = true) {
      try {
        const whole = mergeAnswers([found, await elsewhere(store, question, missing)], question)
        if (isWhole(whole)) return whole
        throw onItsWay(store, missing)
      } catch (thrown) {
        group = undefined
        if (isLast || !mayHaveMoved(thrown)) throw thrown
      }
    }
  }

  return {
    app: plan.appId,
    stores: queryableStores(plan),
    async answer(store, question, local) {
      if (store.partitions === undefined) return (await engines[0]?.(question)) ?? nothing
      if (store.partitions === 0) throw noTask(store)
      if (local) {
        const found = await here(question)
        if (found.partitions.length === 0) throw notHere(store, partitionsOf(store, question))
        return found
      }
      const home = homeOf(store, question)
      if (home !== undefined) {
        const found = await everywhere(store, { ...question, partition: home })
        if (found.rows.length > 0 || store.partitions === 1) return found
      }
      return everywhere(store, question)
    },
  }
}

/** Where the key of a query lies, unless a processor put it elsewhere. */
function homeOf(store: QueryableStore, question: Question): number | undefined {
  if (question.partition !== undefined || !isOfOneKey(question)) return undefined
  return homePartition(keyParam(store, question, 'key'), store, store.partitions as number)
}

/** Those that a question is about, in their order. */
function partitionsOf({ partitions = 0 }: QueryableStore, { partition }: Question): readonly number[] {
  return partition === undefined ? Array.from({ length: partitions }, (_, index) => index) : [partition]
}

/** The processes that have them. @throws Refusal 503 for those that nobody has now, 421 for those of a process that does not answer. */
function serversOf(store: QueryableStore, owners: Owners, missing: readonly number[], self: string): readonly string[] {
  const without = missing.filter((partition) => owners.get(partition) === null)
  if (without.length > 0) {
    throw refuse(421, 'REBALANCE', `store ${store.name}: ${words(without)} in a process that answers no queries`, {
      hint: 'Start every process of the application with --queries; ?local=true asks for what is here.',
    })
  }
  const lost = missing.filter((partition) => !owners.has(partition) || owners.get(partition) === self)
  if (lost.length > 0) throw onItsWay(store, lost)
  return [...new Set(missing.map((partition) => owners.get(partition) as string))]
}

function words(partitions: readonly number[]): string {
  return partitions.length === 1
    ? `partition ${partitions[0]} of it is`
    : `partitions ${partitions.join(', ')} of it are`
}

function onItsWay({ name }: QueryableStore, partitions: readonly number[]): Error {
  return refuse(503, 'REBALANCE', `store ${name}: ${words(partitions)} on the way to another process`, {
    hint: 'Ask again. On several machines, give --queries of each process a host:port that the others reach.',
  })
}

function notHere({ name }: QueryableStore, partitions: readonly number[]): Error {
  return refuse(421, 'REBALANCE', `store ${name}: ${words(partitions)} not in this process`, {
    hint: 'Ask without local=true.',
  })
}

function noTask({ name }: QueryableStore): Error {
  return refuse(503, 'REBALANCE', `store ${name}: there is no task yet that has it`, {
    hint: 'No topic matches the pattern that its records are read by: ask again when there is one.',
  })
}
