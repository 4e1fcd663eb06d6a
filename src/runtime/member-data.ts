/** What a member tells its group when it joins: JSON, so that members of two versions understand each other as far as they can. */

export interface MemberData {
  /** Names of the tasks whose state it holds. */
  readonly tasks: readonly string[]
  /** host:port where its process answers queries; null where it does not. */
  readonly applicationServer: string | null
}

export function writeMember(data: MemberData): Buffer {
  return Buffer.from(JSON.stringify({ version: 1, ...data }))
}

/** A member of another version tells nothing that counts: it then owns nothing. */
export function readMember(userData: Buffer): MemberData {
  const none: MemberData = { tasks: [], applicationServer: null }
  try {
    const said = JSON.parse(userData.toString('utf8')) as Partial<Record<keyof MemberData | 'version', unknown>>
    if (said.version !== 1) return none
    const { tasks, applicationServer } = said
    return {
      tasks: Array.isArray(tasks) ? tasks.filter((task) => typeof task === 'string') : [],
      applicationServer: typeof applicationServer === 'string' ? applicationServer : null,
    }
  } catch {
    return none
  }
}
