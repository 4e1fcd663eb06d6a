import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { NodeRequest } from '../../src/broker/kafka/connections.ts'
import { joinGroup } from '../../src/broker/kafka/member.ts'
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../../src/broker/kafka/member-protocol.ts'
import { Reader, Writer } from '../../src/broker/kafka/wire.ts'
import type { GroupMember, MemberAssignment, MemberOptions } from '../../src/broker/port.ts'
import { StreamError } from '../../src/common/errors.ts'
import { code, noAnswer, ScriptedCluster } from './scripted-cluster.ts'

interface JoinAnswer {
  readonly error?: number
  readonly generation?: number
  readonly memberId?: string
  readonly leader?: string
  readonly members?: readonly string[]
}

function joinAnswer({ error = 0, generation = 1, memberId = 'me', leader = 'me', members }: JoinAnswer): Buffer {
  const known = members ?? (leader === memberId && error === 0 ? [memberId] : [])
  return new Writer()
    .int32(0)
    .int16(error)
    .int32(generation)
    .string('streamctl')
    .string(leader)
    .string(memberId)
    .array(known, (w, id) =>
      w
        .string(id)
        .string(null)
        .bytes(encodeSubscription({ topics: ['t'], userData: Buffer.from(`data of ${id}`) })),
    )
    .finish()
}

function given(partitions: readonly number[], userData = ''): MemberAssignment {
  return { partitions: partitions.map((partition) => ({ topic: 't', partition })), userData: Buffer.from(userData) }
}

function syncAnswer(partitions: readonly number[], error = 0): Buffer {
  const assignment = encodeAssignment(given(partitions))
  return new Writer().int32(0).int16(error).bytes(assignment).finish()
}

/** What a join says: the member id and the user data. */
function readJoinRequest(request: NodeRequest | undefined): {
  memberId: string
  instanceId: string | null
  userData: string
} {
  const r = new Reader((request as NodeRequest).body)
  r.string()
  r.int32()
  r.int32()
  const memberId = r.string()
  const instanceId = r.nullableString()
  r.string()
  const [subscription] = r.array(() => {
    r.string()
    return decodeSubscription(r.bytes() as Buffer)
  })
  return { memberId, instanceId, userData: String(subscription?.userData) }
}

function readSyncRequest(request: NodeRequest | undefined): Record<string, readonly number[]> {
  const r = new Reader((request as NodeRequest).body)
  r.string()
  r.int32()
  r.string()
  r.nullableString()
  return Object.fromEntries(
    r.array(
      () => [r.string(), decodeAssignment(r.bytes() as Buffer).partitions.map(({ partition }) => partition)] as const,
    ),
  )
}

/** A coordinator that lets everybody in and is content with every heartbeat. */
function content(): ScriptedCluster {
  const cluster = new ScriptedCluster()
  let generation = 0
  cluster.on('JoinGroup', () => joinAnswer({ generation: ++generation }))
  cluster.on('SyncGroup', () => syncAnswer([0, 1]))
  cluster.on('Heartbeat', () => code(0))
  cluster.on('LeaveGroup', () => code(0))
  return cluster
}

interface Joined {
  readonly member: GroupMember
  /** Callbacks in order. */
  readonly told: string[]
  readonly errors: Error[]
}

async function join(cluster: ScriptedCluster, options: Partial<MemberOptions> = {}): Promise<Joined> {
  const told: string[] = []
  const errors: Error[] = []
  const member = await joinGroup(
    cluster,
    {
      groupId: 'g',
      topics: ['t'],
      userData: () => Buffer.from('mine'),
      assign: (members) => new Map(members.map(({ memberId }) => [memberId, given([5])])),
      onAssign: async ({ partitions }, { generation, memberId }) => {
        told.push(`assign ${generation} ${memberId} ${partitions.map(({ partition }) => partition).join()}`)
      },
      onRevoke: async () => {
        told.push('revoke')
      },
      onLost: async () => {
        told.push('lost')
      },
      onError: (error) => {
        told.push('error')
        errors.push(error)
      },
      ...options,
    },
    { random: () => 0.5 },
  )
  return { member, told, errors }
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const aBeat = 3_000

describe('joining', () => {
  test('takes the id it is given and hands over the assignment', async () => {
    const cluster = content()
    cluster.once('JoinGroup', () => joinAnswer({ error: 79, memberId: 'given' }))
    cluster.once('JoinGroup', () => joinAnswer({ memberId: 'given', leader: 'other' }))
    const { member, told } = await join(cluster)
    await vi.advanceTimersByTimeAsync(0)
    expect(told).toEqual(['assign 1 given 0,1'])
    expect(cluster.requests('JoinGroup').map((request) => readJoinRequest(request).memberId)).toEqual(['', 'given'])
    expect(readSyncRequest(cluster.requests('SyncGroup')[0])).toEqual({})
    await member.close()
  })

  test('what the leader tells a member beside its partitions comes with them, and nothing where it says nothing', async () => {
    expect(decodeAssignment(encodeAssignment(given([3], 'standbys')))).toEqual(given([3], 'standbys'))
    expect(decodeAssignment(encodeAssignment(given([3])))).toEqual(given([3]))
    expect(decodeAssignment(Buffer.alloc(0))).toEqual(given([]))
  })

  test('as leader assigns to every member by its user data', async () => {
    const cluster = content()
    cluster.once('JoinGroup', () => joinAnswer({ members: ['me', 'you', 'left-out'] }))
    const seen: string[] = []
    const { member } = await join(cluster, {
      assign: (members) => {
        seen.push(...members.map(({ memberId, userData }) => `${memberId}: ${userData}`))
        return new Map([
          ['me', given([0])],
          ['you', given([1, 2])],
        ])
      },
    })
    await vi.advanceTimersByTimeAsync(0)
    expect(seen).toEqual(['me: data of me', 'you: data of you', 'left-out: data of left-out'])
    expect(readSyncRequest(cluster.requests('SyncGroup')[0])).toEqual({ me: [0], you: [1, 2], 'left-out': [] })
    await member.close()
  })

  test.each([
    ['JoinGroup', 14],
    ['JoinGroup', 15],
    ['JoinGroup', 16],
    ['JoinGroup', 27],
    ['JoinGroup', 25],
    ['SyncGroup', 16],
    ['SyncGroup', 22],
    ['SyncGroup', 25],
    ['SyncGroup', 27],
  ])('answered by %s with %i starts again', async (apiName, error) => {
    const cluster = content()
    for (let i = 0; i < 3; i++) {
      cluster.once(apiName, () => (apiName === 'JoinGroup' ? joinAnswer({ error }) : syncAnswer([], error)))
    }
    const { member, told } = await join(cluster)
    await vi.advanceTimersByTimeAsync(2_900)
    expect(told).toEqual([`assign ${apiName === 'JoinGroup' ? 1 : 4} me 0,1`])
    await member.close()
  })

  test('under an id that is not known any more starts without one', async () => {
    const cluster = content()
    const { member } = await join(cluster)
    await vi.advanceTimersByTimeAsync(0)
    cluster.once('JoinGroup', () => joinAnswer({ error: 25 }))
    member.rejoin()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(cluster.requests('JoinGroup').map((request) => readJoinRequest(request).memberId)).toEqual(['', 'me', ''])
    await member.close()
  })

  test('goes on over lost answers', async () => {
    const cluster = content()
    cluster.once('JoinGroup', () => noAnswer)
    cluster.once('SyncGroup', () => new StreamError('UNREACHABLE', 'gone'))
    const { member, told } = await join(cluster)
    await vi.advanceTimersByTimeAsync(2_900)
    expect(told).toEqual(['assign 2 me 0,1'])
    await member.close()
  })

  test.each([
    ['JoinGroup', 30, 'UNAUTHORIZED'],
    ['JoinGroup', 82, 'FENCED'],
    ['JoinGroup', 26, 'INVALID_ARGUMENT'],
    ['SyncGroup', 82, 'FENCED'],
  ])('answered by %s with %i ends with one error', async (apiName, error, expected) => {
    const cluster = content()
    cluster.on(apiName, () => (apiName === 'JoinGroup' ? joinAnswer({ error }) : syncAnswer([], error)))
    const { told, errors } = await join(cluster)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(told).toEqual(['error'])
    expect((errors[0] as StreamError).code).toBe(expected)
    expect(cluster.requests(apiName)).toHaveLength(1)
  })
})

describe('a rebalance', () => {
  test('waits for onRevoke, with heartbeats, before it joins again', async () => {
    const cluster = content()
    const gate = Promise.withResolvers<void>()
    const told: string[] = []
    const { member } = await join(cluster, {
      onAssign: async (_, { generation }) => {
        told.push(`assign ${generation}`)
      },
      onRevoke: async () => {
        told.push('revoke')
        await gate.promise
        told.push('revoked')
      },
    })
    await vi.advanceTimersByTimeAsync(aBeat)
    expect(cluster.requests('Heartbeat')).toHaveLength(1)
    cluster.on('Heartbeat', () => code(27))
    await vi.advanceTimersByTimeAsync(4 * aBeat)
    expect(told).toEqual(['assign 1', 'revoke'])
    expect(cluster.requests('JoinGroup')).toHaveLength(1)
    expect(cluster.requests('Heartbeat').length).toBeGreaterThanOrEqual(4)
    cluster.on('Heartbeat', () => code(0))
    gate.resolve()
    await vi.advanceTimersByTimeAsync(0)
    expect(told).toEqual(['assign 1', 'revoke', 'revoked', 'assign 2'])
    await member.close()
  })

  test('found out while onAssign runs is told after it', async () => {
    const cluster = content()
    const gate = Promise.withResolvers<void>()
    const told: string[] = []
    const { member } = await join(cluster, {
      onAssign: async () => {
        told.push('assign')
        await gate.promise
        told.push('assigned')
      },
      onRevoke: async () => {
        told.push('revoke')
      },
    })
    cluster.on('Heartbeat', () => code(27))
    await vi.advanceTimersByTimeAsync(2 * aBeat)
    expect(told).toEqual(['assign'])
    gate.resolve()
    await vi.advanceTimersByTimeAsync(0)
    expect(told.slice(0, 3)).toEqual(['assign', 'assigned', 'revoke'])
    await member.close()
  })

  test('can be asked for, and asks for the user data anew', async () => {
    const cluster = content()
    let version = 0
    const { member, told } = await join(cluster, { userData: () => Buffer.from(`v${++version}`) })
    await vi.advanceTimersByTimeAsync(0)
    member.rejoin()
    await vi.advanceTimersByTimeAsync(0)
    expect(told).toEqual(['assign 1 me 0,1', 'revoke', 'assign 2 me 0,1'])
    expect(cluster.requests('JoinGroup').map((request) => readJoinRequest(request).userData)).toEqual(['v1', 'v2'])
    await member.close()
  })

  test('asked for during a join follows it', async () => {
    const cluster = content()
    const gate = Promise.withResolvers<Buffer>()
    cluster.once('JoinGroup', () => gate.promise)
    const { member } = await join(cluster)
    await vi.advanceTimersByTimeAsync(0)
    member.rejoin()
    gate.resolve(joinAnswer({}))
    await vi.advanceTimersByTimeAsync(0)
    expect(cluster.requests('JoinGroup')).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(2 * aBeat)
    expect(cluster.requests('JoinGroup')).toHaveLength(2)
    await member.close()
  })

  test('comes when the leader sees another partition count, and only then', async () => {
    for (const leader of ['me', 'other']) {
      const cluster = content()
      cluster.partitions.set('t', 2)
      cluster.on('JoinGroup', () => joinAnswer({ leader }))
      const { member, told } = await join(cluster)
      await vi.advanceTimersByTimeAsync(3 * aBeat)
      expect(cluster.requests('JoinGroup')).toHaveLength(1)
      cluster.partitions.set('t', 4)
      await vi.advanceTimersByTimeAsync(aBeat)
      expect(cluster.requests('JoinGroup')).toHaveLength(leader === 'me' ? 2 : 1)
      await vi.advanceTimersByTimeAsync(3 * aBeat)
      expect(told).toHaveLength(leader === 'me' ? 3 : 1)
      await member.close()
    }
  })
})

describe('a member that is thrown out', () => {
  test.each([
    [25, ''],
    [22, 'me'],
  ])('with %i is told so and joins as %j', async (error, memberId) => {
    const cluster = content()
    const { member, told } = await join(cluster)
    await vi.advanceTimersByTimeAsync(0)
    cluster.once('Heartbeat', () => code(error))
    await vi.advanceTimersByTimeAsync(aBeat)
    expect(told).toEqual(['assign 1 me 0,1', 'lost', 'assign 2 me 0,1'])
    expect(readJoinRequest(cluster.requests('JoinGroup')[1]).memberId).toBe(memberId)
    await member.close()
  })

  test('by silence is told after its session timeout, not before', async () => {
    const cluster = content()
    const { member, told } = await join(cluster, { sessionTimeoutMs: 10_000 })
    await vi.advanceTimersByTimeAsync(0)
    cluster.on('Heartbeat', () => noAnswer)
    await vi.advanceTimersByTimeAsync(9_000)
    expect(told).toEqual(['assign 1 me 0,1'])
    await vi.advanceTimersByTimeAsync(aBeat)
    expect(told.slice(0, 2)).toEqual(['assign 1 me 0,1', 'lost'])
    await member.close()
  })

  test('by its instance id ends with one error', async () => {
    const cluster = content()
    const { told, errors } = await join(cluster, { instanceId: 'i' })
    await vi.advanceTimersByTimeAsync(0)
    cluster.on('Heartbeat', () => code(82))
    await vi.advanceTimersByTimeAsync(60_000)
    expect(told).toEqual(['assign 1 me 0,1', 'error'])
    expect((errors[0] as StreamError).code).toBe('FENCED')
    expect(cluster.requests('JoinGroup')).toHaveLength(1)
  })

  test('while it revokes is not told twice', async () => {
    const cluster = content()
    const gate = Promise.withResolvers<void>()
    const told: string[] = []
    const { member } = await join(cluster, {
      onRevoke: () => gate.promise,
      onLost: async () => {
        told.push('lost')
      },
    })
    await vi.advanceTimersByTimeAsync(0)
    cluster.once('Heartbeat', () => code(27))
    cluster.once('Heartbeat', () => code(25))
    await vi.advanceTimersByTimeAsync(2 * aBeat)
    gate.resolve()
    await vi.advanceTimersByTimeAsync(0)
    expect(told).toEqual([])
    expect(readJoinRequest(cluster.requests('JoinGroup')[1]).memberId).toBe('')
    await member.close()
  })

  test('stays when only the coordinator moves', async () => {
    const cluster = content()
    const { member, told } = await join(cluster)
    await vi.advanceTimersByTimeAsync(0)
    cluster.once('Heartbeat', () => code(16))
    await vi.advanceTimersByTimeAsync(5 * aBeat)
    expect(told).toEqual(['assign 1 me 0,1'])
    expect(cluster.forgotten).toBe(1)
    await member.close()
  })
})

describe('closing', () => {
  test('leaves and never calls back', async () => {
    const cluster = content()
    const { member, told } = await join(cluster)
    await vi.advanceTimersByTimeAsync(0)
    cluster.on('Heartbeat', () => code(27))
    await member.close()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(told).toEqual(['assign 1 me 0,1'])
    expect(cluster.requests('LeaveGroup')).toHaveLength(1)
    expect(cluster.requests('JoinGroup')).toHaveLength(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('during a join leaves under the id that comes', async () => {
    const cluster = content()
    const gate = Promise.withResolvers<Buffer>()
    cluster.once('JoinGroup', () => gate.promise)
    const { member, told } = await join(cluster)
    await vi.advanceTimersByTimeAsync(0)
    await member.close()
    gate.resolve(joinAnswer({ memberId: 'late' }))
    await vi.advanceTimersByTimeAsync(60_000)
    expect(told).toEqual([])
    expect(cluster.requests('LeaveGroup')).toHaveLength(1)
    expect(cluster.requests('SyncGroup')).toHaveLength(0)
  })

  test('during a join with an instance id leaves by that: the group knows it before its id has come', async () => {
    const cluster = content()
    const gate = Promise.withResolvers<Buffer>()
    cluster.once('JoinGroup', () => gate.promise)
    const { member, told } = await join(cluster, { instanceId: 'i', leaveOnClose: true })
    await vi.advanceTimersByTimeAsync(0)
    await member.close()
    const [leave] = cluster.requests('LeaveGroup')
    const r = new Reader((leave as NodeRequest).body)
    expect([r.string(), r.array(() => [r.string(), r.nullableString()])]).toEqual(['g', [['', 'i']]])
    gate.resolve(joinAnswer({ error: 25 }))
    await vi.advanceTimersByTimeAsync(60_000)
    expect(told).toEqual([])
    expect(cluster.requests('JoinGroup')).toHaveLength(1)
  })

  test('does not leave with an instance id: the next start takes the place up again', async () => {
    const cluster = content()
    const { member } = await join(cluster, { instanceId: 'i' })
    await vi.advanceTimersByTimeAsync(0)
    expect(readJoinRequest(cluster.requests('JoinGroup')[0])).toMatchObject({ memberId: '', instanceId: 'i' })
    await member.close()
    expect(cluster.requests('LeaveGroup')).toHaveLength(0)
  })
})

test('a callback that fails ends the membership with its error', async () => {
  const cluster = content()
  const { told, errors } = await join(cluster, { onAssign: () => Promise.reject(new Error('mine')) })
  await vi.advanceTimersByTimeAsync(60_000)
  expect(told).toEqual(['error'])
  expect(errors[0]?.message).toBe('mine')
  expect(cluster.requests('LeaveGroup')).toHaveLength(1)
})
