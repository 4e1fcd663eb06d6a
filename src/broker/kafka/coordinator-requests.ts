/**
 * Requests that move a transaction. What the broker answers may be asked again; what was sent and not answered may not,
 * because the lost request could still arrive, inside the next transaction of the same epoch.
 */

import { StreamError } from '../../common/errors.ts'
import type { TopicPartition } from '../../common/record.ts'
import type { OffsetCommit } from '../port.ts'
import { type Backoff, backoffMs, pause } from './backoff.ts'
import type { ClusterConnections, CoordinatorType, NodeRequest } from './connections.ts'
import { epochOver } from './epoch-over.ts'
import {
  addOffsetsRequest,
  addPartitionsRequest,
  endRequest,
  initRequest,
  offsetCommitRequest,
  type ProducerIdentity,
  readAddPartitions,
  readAnswer,
  readInit,
  readOffsetCommit,
  type TransactionIdentity,
} from './producer-protocol.ts'
import { protocolError, protocolFailure } from './protocol-errors.ts'

export interface CoordinatorOptions {
  readonly transactionalId: string
  readonly lane: string
  /** ms the coordinator keeps a transaction open. */
  readonly transactionTimeoutMs: number
  /** ms one request may take. */
  readonly requestTimeoutMs: number
  readonly backoff: Backoff
}

const notAvailable = 15
const notCoordinator = 16
const operationNotAttempted = 55
/** The group gave the work to somebody else. */
const memberLost: readonly number[] = [22, 25, 82]

interface Question {
  readonly type: CoordinatorType
  readonly key: string
  readonly request: NodeRequest
  /** 0, or the code that counts of the response. */
  read(body: Buffer): number
  /** Subject of the failure's sentence. */
  readonly what: string
  /** Until when, by performance.now(). */
  readonly deadline: number
  readonly signal?: AbortSignal
}

/** The transaction coordinator's and the group coordinator's side of one transactional id. */
export class CoordinatorRequests {
  readonly #connections: ClusterConnections
  readonly #options: CoordinatorOptions

  constructor(connections: ClusterConnections, options: CoordinatorOptions) {
    this.#connections = connections
    this.#options = options
  }

  /**
   * A new epoch. Asked again whatever happens: at worst the epoch moves twice.
   * @throws StreamError TIMEOUT after `deadlineMs`, FENCED, UNAUTHORIZED, INVALID_ARGUMENT.
   */
  async init(deadlineMs: number): Promise<ProducerIdentity> {
    const { transactionalId, transactionTimeoutMs, requestTimeoutMs } = this.#options
    const deadline = performance.now() + deadlineMs
    let identity: ProducerIdentity = { producerId: -1, epoch: -1 }
    const question: Question = {
      type: 'transaction',
      key: transactionalId,
      request: { ...initRequest(transactionalId, transactionTimeoutMs), timeoutMs: requestTimeoutMs },
      read: (body) => {
        const { error, producerId, epoch } = readInit(body)
        identity = { producerId, epoch }
        return error
      },
      what: `taking over transactional id '${transactionalId}'`,
      deadline,
    }
    for (;;) {
      try {
        await this.#ask(question)
        return identity
      } catch (error) {
        if (!(error instanceof StreamError)) throw error
        if (error.code === 'UNKNOWN_OUTCOME' && performance.now() < deadline) {
          this.#connections.forgetCoordinator('transaction', transactionalId)
          continue
        }
        if (error.code !== 'UNKNOWN_OUTCOME' && error.code !== 'TIMEOUT') throw error
        throw new StreamError('TIMEOUT', `no new epoch for transactional id '${transactionalId}' in ${deadlineMs} ms`, {
          cause: error,
          hint: 'Is the transaction coordinator reachable, and are all partitions of __transaction_state online?',
        })
      }
    }
  }

  /** All partitions in one request. */
  async addPartitions(
    identity: ProducerIdentity,
    partitions: readonly TopicPartition[],
    signal: AbortSignal,
  ): Promise<void> {
    await this.#ask({
      ...this.#transaction(signal),
      request: addPartitionsRequest(this.#named(identity), partitions, this.#options.requestTimeoutMs),
      read: (body) => firstError(readAddPartitions(body)),
      what: `adding ${partitions.length} partitions to the transaction of '${this.#options.transactionalId}'`,
    })
  }

  async addOffsets(identity: ProducerIdentity, groupId: string, signal: AbortSignal): Promise<void> {
    await this.#ask({
      ...this.#transaction(signal),
      request: addOffsetsRequest(this.#named(identity), groupId, this.#options.requestTimeoutMs),
      read: readAnswer,
      what: `adding the offsets of group '${groupId}' to the transaction of '${this.#options.transactionalId}'`,
    })
  }

  /** @throws StreamError FENCED when the group is past the commit's generation, or does not know the member. */
  async commitOffsets(identity: ProducerIdentity, commit: OffsetCommit, signal: AbortSignal): Promise<void> {
    const { groupId, generation } = commit.group
    await this.#ask({
      ...this.#transaction(signal),
      type: 'group',
      key: groupId,
      request: offsetCommitRequest(this.#named(identity), commit, this.#options.requestTimeoutMs),
      read: (body) => firstError(readOffsetCommit(body)),
      what: `committing offsets of group '${groupId}' in generation ${generation}`,
    })
  }

  async end(identity: ProducerIdentity, signal: AbortSignal): Promise<void> {
    await this.#ask({
      ...this.#transaction(signal),
      request: endRequest(this.#named(identity), this.#options.requestTimeoutMs),
      read: readAnswer,
      what: `ending the transaction of '${this.#options.transactionalId}'`,
    })
  }

  #named(identity: ProducerIdentity): TransactionIdentity {
    return { ...identity, transactionalId: this.#options.transactionalId }
  }

  #transaction(signal: AbortSignal): Pick<Question, 'type' | 'key' | 'deadline' | 'signal'> {
    const deadline = performance.now() + this.#options.transactionTimeoutMs
    return { signal, deadline, type: 'transaction', key: this.#options.transactionalId }
  }

  async #ask(question: Question): Promise<void> {
    const { type, key, request, what, deadline, signal } = question
    for (let attempt = 0; ; attempt++) {
      let failure: StreamError
      try {
        const connection = await this.#connections.coordinator(type, key, this.#options.lane)
        if (signal?.aborted) throw new StreamError('INTERNAL', `${what} was given up`)
        const code = question.read(await connection.send(request))
        if (code === 0) return
        if (code === notCoordinator || code === notAvailable) this.#connections.forgetCoordinator(type, key)
        failure = this.#failure(code, what)
        if (!protocolError(code).retriable) throw failure
      } catch (error) {
        if (!(error instanceof StreamError) || error.code !== 'UNREACHABLE') throw error
        failure = error
        this.#connections.forgetCoordinator(type, key)
      }
      const wait = backoffMs(attempt, this.#options.backoff)
      if (signal?.aborted || performance.now() + wait > deadline) throw failure
      await pause(wait, signal)
    }
  }

  #failure(code: number, what: string): StreamError {
    if (memberLost.includes(code)) {
      return new StreamError('FENCED', `${what} was refused: ${protocolError(code).name}, another member has the work`)
    }
    const cause = epochOver(code)
    if (cause === null) return protocolFailure(code, what)
    const { transactionalId, transactionTimeoutMs } = this.#options
    return new StreamError('FENCED', `${what} was refused: ${protocolError(code).name} (${code})`, {
      cause,
      hint: `Another producer uses '${transactionalId}', or the transaction was open for more than ${transactionTimeoutMs} ms.`,
    })
  }
}

/** The code that explains the refusal: partitions beside the refused one answer OPERATION_NOT_ATTEMPTED. */
function firstError(items: readonly { readonly error: number }[]): number {
  const refused = items.filter((item) => item.error !== 0)
  return (refused.find((item) => item.error !== operationNotAttempted) ?? refused[0])?.error ?? 0
}
