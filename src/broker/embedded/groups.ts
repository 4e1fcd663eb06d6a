/** The groups of the embedded broker: membership, and the commits that transactions bring. */

import type { CommittedOffset, GroupMember, MemberOptions, OffsetCommit } from '../port.ts'
import { Group } from './group.ts'
import { Member } from './member.ts'

export interface JoinedMember extends GroupMember {
  /** Gone without a word, as when its process dies: no callback, no `close`. */
  vanish(): void
}

export class GroupCoordinator {
  readonly #groups = new Map<string, Group>()
  readonly #expiry = new Map<Member, () => void>()
  #members = 0

  constructor(stored: readonly { readonly groupId: string; readonly offset: CommittedOffset }[]) {
    for (const { groupId, offset } of stored) this.group(groupId).offsets.apply([offset])
  }

  group(id: string): Group {
    let group = this.#groups.get(id)
    if (group === undefined) {
      group = new Group(id)
      this.#groups.set(id, group)
    }
    return group
  }

  topicCreated(name: string): void {
    for (const group of this.#groups.values()) if (group.reads(name)) group.change()
  }

  /** @throws StreamError FENCED. */
  check(commit: OffsetCommit): void {
    this.group(commit.group.groupId).check(commit.group)
  }

  join(options: MemberOptions, clientId: string): JoinedMember {
    const group = this.group(options.groupId)
    let member = this.#enter(group, options, clientId)
    let isClosed = false
    const leave = (): void => {
      isClosed = true
      this.#expiry.delete(member)
      group.remove(member)
    }
    const expired = (): void => {
      const lost = member
      this.#expiry.delete(lost)
      group.remove(lost)
      // It joins again by itself, but not before it knows what it lost.
      const again = (): void => {
        if (isClosed) return
        member = this.#enter(group, options, clientId)
        this.#expiry.set(member, expired)
      }
      lost.lose().then(again, (error: unknown) => lost.fail(error))
    }
    this.#expiry.set(member, expired)
    return {
      rejoin: () => {
        if (!isClosed) group.change()
      },
      close: () => Promise.resolve(leave()),
      vanish: leave,
    }
  }

  /** What a session timeout does. False when there is no such member. */
  expire(groupId: string, memberId: string): boolean {
    const member = this.#groups.get(groupId)?.find(memberId)
    const expired = member && this.#expiry.get(member)
    expired?.()
    return expired !== undefined
  }

  #enter(group: Group, options: MemberOptions, clientId: string): Member {
    const failed = (failing: Member, error: Error): void => {
      this.#expiry.delete(failing)
      group.remove(failing)
      options.onError(error)
    }
    const member = new Member(`${clientId}-${++this.#members}`, clientId, options, failed)
    group.add(member)
    return member
  }
}
