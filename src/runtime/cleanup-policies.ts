/** That a topic which is the changelog of its table keeps the last record of each key, whatever its age. */

import type { Broker } from '../broker/port.ts'
import { StreamError } from '../common/errors.ts'
import type { Topology } from '../topology/node.ts'
import { tablesBySourceTopic } from '../topology/source-changelogs.ts'

const config = 'cleanup.policy'

/** @throws StreamError INVALID_TOPOLOGY for one that the broker deletes records of by age or size; UNAUTHORIZED where configs may not be read. */
export async function checkCleanupPolicies(topology: Topology, broker: Broker): Promise<void> {
  const tables = tablesBySourceTopic(topology)
  if (tables.size === 0) return
  const configs = await broker.topicConfigs([...tables.keys()])
  for (const [topic, { name, where }] of tables) {
    const policy = configs.get(topic)?.[config] ?? ''
    if (policy === 'compact') continue
    throw new StreamError(
      'INVALID_TOPOLOGY',
      `${name}: the topic ${topic} is its changelog, and with ${config}=${policy} the broker deletes rows that are still in the table`,
      {
        hint: `Let the topic be compacted: kafka-configs.sh --alter --entity-type topics --entity-name ${topic} --add-config ${config}=compact --bootstrap-server <broker>. Or leave changelog: 'source' out: the table has a changelog of its own then.`,
        where: { node: name, topic, ...where },
      },
    )
  }
}
