/**
 * One consumer group, rebalanced eagerly: every member gives back what it has before the generation is counted up, so that
 * a commit in `onRevoke` still counts and one after it is fenced. All is in one process, so there are no heartbeats and
 * no timeouts: a member stays until it leaves, or is expired by hand, and a
 * static member that closes leaves like any other: there is no process that could come back for its place.
 */

import { setImmediate } from 'node:timers/promises'
import { StreamError } from '../../common/errors.ts'
import { noAssignment } from '../no-assignment.ts'
import type { GroupDescription, GroupMetadata, MemberAssignment } from '../port.ts'
import type { Member } from './member.ts'
import { GroupOffsets } from './offsets.ts'

export class Group {
  readonly id: string
  readonly offsets = new GroupOffsets()
  readonly #members = new Map<string, Member>()
  #generation = 0
  #state: 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' = 'Empty'
  #changed = false
  #rebalancing = false

  constructor(id: string) {
    this.id = id
  }

  /** A static member takes the place of the one that has its instance id (KIP-345); that one hears FENCED. */
  add(member: Member): void {
    const instanceId = member.options.instanceId
    for (const other of this.#members.values()) {
      if (instanceId === undefined || other.options.instanceId !== instanceId) continue
      this.remove(other)
      const message = `another member of group ${this.id} joined with the instance id ${instanceId}`
      other.options.onError(new StreamError('FENCED', message, { hint: 'Give every process its own instance id.' }))
    }
    this.#members.set(member.id, member)
    this.change()
  }

  remove(member: Member): void {
    member.leave()
    if (this.#members.get(member.id) === member && this.#members.delete(member.id)) this.change()
  }

  find(memberId: string): Member | undefined {
    return this.#members.get(memberId)
  }

  reads(topic: string): boolean {
    return [...this.#members.values()].some((member) => member.options.topics.includes(topic))
  }

  /** Ends the generation. Whatever changes until the members have given back becomes part of the same next one. */
  change(): void {
    this.#changed = true
    if (!this.#rebalancing) void this.#rebalance()
  }

  /** @throws StreamError FENCED unless it comes from a member of this generation, or (generation -1) from outside the group. */
  check({ generation, memberId }: GroupMetadata): void {
    if (generation < 0 && memberId === '') return
    if (generation === this.#generation && this.#members.has(memberId)) return
    throw new StreamError(
      'FENCED',
      `member ${memberId} of generation ${generation} may not commit for group ${this.id}: generation ${this.#generation} owns the partitions now`,
      { hint: 'Drop the transaction; the work is redone by the new owner.' },
    )
  }

  describe(): GroupDescription {
    const members = [...this.#members.values()].map((member) => member.described())
    const isUnknown = members.length === 0 && this.#generation === 0 && this.offsets.isEmpty
    return { state: isUnknown ? 'Dead' : this.#state, members }
  }

  async #rebalance(): Promise<void> {
    this.#rebalancing = true
    while (this.#changed) {
      this.#state = 'PreparingRebalance'
      // Members that join in the same turn share a generation, and `join` has returned before the first callback.
      await setImmediate()
      await Promise.all([...this.#members.values()].map((member) => member.revoke()))
      this.#changed = false
      this.#generation++
      this.#state = this.#members.size === 0 ? 'Empty' : 'CompletingRebalance'
      if (this.#members.size > 0) this.#assign()
    }
    this.#rebalancing = false
  }

  /** The member longest in the group leads. One whose callback throws fails alone, and the others start anew. */
  #assign(): void {
    const [leader] = this.#members.values()
    if (leader === undefined) return
    const members = []
    for (const member of this.#members.values()) {
      try {
        members.push(member.describe())
      } catch (error) {
        member.fail(error)
      }
    }
    if (this.#changed) return
    let assignment: ReadonlyMap<string, MemberAssignment>
    try {
      assignment = leader.options.assign(members)
    } catch (error) {
      leader.fail(error)
      return
    }
    this.#state = 'Stable'
    for (const member of this.#members.values()) {
      member.assign(assignment.get(member.id) ?? noAssignment, {
        groupId: this.id,
        generation: this.#generation,
        memberId: member.id,
        instanceId: member.options.instanceId ?? null,
      })
    }
  }
}
