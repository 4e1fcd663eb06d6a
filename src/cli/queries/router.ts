/** Finds the answer to a query, wherever the partitions are that it is about; an answer is never of a part of them without saying so. */

import type { Plan } from '../../runtime/plan.ts'
import { homePartition, type QueryableStore, queryableStores } from '../../runtime/queries.ts'
import { type Answer, type Ask, nothing } from './answer.ts'
import { mergeAnswers } from './merge.ts'
import { isOfOneKey, keyParam, type Question } from './question.ts'
import { refuse } from './refusal.ts'
import type { Queried } from './server.ts'

/** @param engines those of this process; each has the whole of every global table. */
export function router(plan: Plan, engines: readonly Ask[]): Queried {
  const here = async (question: Question): Promise<Answer> =>
    mergeAnswers(await Promise.all(engines.map((ask) => ask(question))), question)

  const everywhere = async (store: QueryableStore, question: Question): Promise<Answer> => {
    const found = await here(question)
    const missing = wanted(store, question).filter((partition) => !found.partitions.includes(partition))
    if (missing.length > 0) throw notHere(store, missing)
    return found
  }

  return {
    app: plan.appId,
    stores: queryableStores(plan),
    async answer(store, question, local) {
      if (store.partitions === undefined) return (await engines[0]?.(question)) ?? nothing
      if (store.partitions === 0) throw noTask(store)
      if (local) {
        const found = await here(question)
        if (found.partitions.length === 0) throw notHere(store, wanted(store, question))
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

function wanted({ partitions = 0 }: QueryableStore, { partition }: Question): readonly number[] {
  return partition === undefined ? Array.from({ length: partitions }, (_, index) => index) : [partition]
}

function notHere({ name }: QueryableStore, partitions: readonly number[]): Error {
  const which = partitions.length === 1 ? `partition ${partitions[0]}` : `partitions ${partitions.join(', ')}`
  return refuse(421, 'REBALANCE', `store ${name}: ${which} of it ${partitions.length === 1 ? 'is' : 'are'} not here`, {
    hint: 'Ask the process that has it; ?local=true asks for what is here.',
  })
}

function noTask({ name }: QueryableStore): Error {
  return refuse(503, 'REBALANCE', `store ${name}: there is no task yet that has it`, {
    hint: 'No topic matches the pattern that its records are read by: ask again when there is one.',
  })
}
