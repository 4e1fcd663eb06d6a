/**
 * A broker port that fails on demand: a call is refused before it reaches the broker, or its answer is lost after the broker has
 * done it. It holds its caller to the port's contract: after a failed commit nothing but `reset` and `close` may be called.
 */

import type { EmbeddedBroker } from '../../src/broker/embedded/broker.ts'
import type { Broker, Fetcher, FetcherOptions, GroupMember, TransactionalProducer } from '../../src/broker/port.ts'
import { brokerWith } from '../../src/broker/replaced.ts'
import { type ErrorCode, StreamError } from '../../src/common/errors.ts'

export type Step = 'poll' | 'committed' | 'offsets' | 'commit' | 'reset'

export interface Fault {
  readonly when: 'before' | 'after'
  readonly code: ErrorCode
  /** The process dies at that moment. */
  readonly crash?: boolean
  /** Awaited before the answer is given. */
  readonly hold?: Promise<unknown>
}

/** A call that is only slow. */
export interface Delay {
  readonly hold: Promise<unknown>
}

export interface FaultyBroker {
  readonly broker: Broker
  /** As if the process had died: nothing it says reaches the broker any more. */
  kill(): void
  readonly isDead: () => boolean
  /** Calls that the port's contract forbids. */
  readonly violations: readonly string[]
  readonly calls: Readonly<Record<Step, number>>
}

/** `decide` is asked at every call, with its number from 0. */
export function faultyBroker(
  inner: EmbeddedBroker,
  decide: (step: Step, call: number) => Fault | Delay | undefined,
): FaultyBroker {
  const gone = new StreamError('UNREACHABLE', 'this process is dead to the broker')
  const violations: string[] = []
  const calls: Record<Step, number> = { poll: 0, committed: 0, offsets: 0, commit: 0, reset: 0 }
  let dead = false

  const kill = (): void => {
    dead = true
    inner.crash()
  }
  const alive = (): void => {
    if (dead) throw gone
  }
  const fail = (step: Step, fault: Fault): never => {
    if (fault.crash === true) kill()
    throw new StreamError(fault.code, `${step} failed on purpose, ${fault.when} the broker did it`)
  }
  const around = async <T>(step: Step, call: () => Promise<T>): Promise<T> => {
    alive()
    const fault = decide(step, calls[step]++)
    if (fault !== undefined && 'code' in fault && fault.when === 'before') fail(step, fault)
    const result = await call()
    if (fault?.hold !== undefined) await fault.hold
    alive()
    if (fault !== undefined && 'code' in fault) fail(step, fault)
    return result
  }

  const producerOf = (real: TransactionalProducer): TransactionalProducer => {
    let broken = false
    const commit: TransactionalProducer['commit'] = (offsets) => {
      if (broken) violations.push('commit after a failure, without a reset')
      if (broken) return Promise.reject(new StreamError('INTERNAL', 'the producer needs a reset'))
      // Not `around`: what is sealed is decided before this returns.
      const result = around('commit', () => real.commit(offsets))
      return result.catch((error: unknown) => {
        broken = true
        throw error
      })
    }
    return {
      output: (topic) => real.output(topic),
      get pendingBytes() {
        return real.pendingBytes
      },
      commit,
      reset: async () => {
        broken = true
        await around('reset', () => real.reset())
        broken = false
      },
      close: () => (dead ? Promise.resolve() : real.close()),
    }
  }
  const fetcherOf = (real: Fetcher): Fetcher => ({
    assign: (positions) => {
      if (!dead) real.assign(positions)
    },
    pause: (partitions) => real.pause(partitions),
    resume: (partitions) => real.resume(partitions),
    poll: (maxWaitMs) => around('poll', () => real.poll(maxWaitMs)),
    wake: () => real.wake(),
    close: () => (dead ? Promise.resolve() : real.close()),
  })
  const memberOf = (real: GroupMember): GroupMember => ({
    rejoin: () => {
      if (!dead) real.rejoin()
    },
    close: () => (dead ? Promise.resolve() : real.close()),
  })

  const broker = brokerWith(inner, {
    offsets: (partitions, at) => around('offsets', () => inner.offsets(partitions, at)),
    committed: (groupId, partitions) => around('committed', () => inner.committed(groupId, partitions)),
    fetcher: (options?: FetcherOptions) => fetcherOf(inner.fetcher(options)),
    transactionalProducer: async (options) => producerOf(await inner.transactionalProducer(options)),
    join: async (options) => {
      alive()
      return memberOf(await inner.join(options))
    },
  })
  return { broker, kill, isDead: () => dead, violations, calls }
}
