/**
 * What members of a group and their leader tell each other beside topics and partitions: JSON, so that members of two versions understand each other as
 * far as they can. Fields come, none goes.
 */

export interface MemberData {
  /** Names of the tasks that it runs. */
  readonly tasks: readonly string[]
  /** host:port where its process answers queries; null where it does not. */
  readonly applicationServer: string | null
  /** Id of its process; null of a member that names none. */
  readonly process: string | null
  /** Tasks whose state is open there or on its disk, and how far that is: the sum of its changelog offsets, 0 where that is not known. */
  readonly held: ReadonlyMap<string, number>
}

const version = 1

export function writeMember({ held, ...data }: MemberData): Buffer {
  return encode({ version, ...data, held: Object.fromEntries(held) })
}

/** A member of another version tells nothing that counts: it then owns nothing. */
export function readMember(userData: Buffer): MemberData {
  const { tasks, applicationServer, process, held } = decode(userData)
  return {
    tasks: names(tasks),
    applicationServer: typeof applicationServer === 'string' ? applicationServer : null,
    process: typeof process === 'string' ? process : null,
    held: new Map(Object.entries(held ?? {}).filter(isPosition)),
  }
}

/** What the leader tells a member beside its partitions; nothing where there is nothing to tell. */
export function writeStandbys(standbys: readonly string[]): Buffer {
  return standbys.length === 0 ? Buffer.alloc(0) : encode({ version, standbys })
}

/** Names of the tasks whose state a member is to copy. */
export function readStandbys(userData: Buffer): readonly string[] {
  return names(decode(userData).standbys)
}

function encode(data: object): Buffer {
  return Buffer.from(JSON.stringify(data))
}

function decode(userData: Buffer): Readonly<Record<string, unknown>> {
  try {
    const said = JSON.parse(userData.toString('utf8')) as Readonly<Record<string, unknown>>
    return said.version === version ? said : {}
  } catch {
    return {}
  }
}

function names(said: unknown): readonly string[] {
  return Array.isArray(said) ? said.filter((name) => typeof name === 'string') : []
}

function isPosition(entry: readonly [string, unknown]): entry is [string, number] {
  return Number.isSafeInteger(entry[1]) && (entry[1] as number) >= 0
}
