/** Names of the topics the engine owns: the same as Kafka Streams gives them, so that its tools and ACLs fit. */

import { StreamError } from '../common/errors.ts'
import { isLegalName } from '../serde/topic.ts'

/**
 * `<app>-<store>-changelog`
 * @throws StreamError INVALID_TOPOLOGY when the whole is no topic name (over 249 characters).
 */
export function changelogTopic(app: string, store: string): string {
  return checked(`${app}-${store}-changelog`)
}

/**
 * `<app>-<base>-repartition`
 * @throws StreamError INVALID_TOPOLOGY when the whole is no topic name (over 249 characters).
 */
export function repartitionTopic(app: string, base: string): string {
  return checked(`${app}-${base}-repartition`)
}

/** Whether a topic is one of those that an application makes for itself, now or in an earlier version. */
export function isInternal(app: string, topic: string): boolean {
  return topic.startsWith(`${app}-`) && /-(changelog|repartition)$/.test(topic)
}

function checked(topic: string): string {
  if (isLegalName(topic)) return topic
  throw new StreamError('INVALID_TOPOLOGY', `the internal topic ${JSON.stringify(topic)} has no legal name`, {
    where: { topic },
    hint: 'Shorten the application id or the name of the store: together with the suffix at most 249 of a-z A-Z 0-9 . _ -',
  })
}
