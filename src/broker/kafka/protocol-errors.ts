/** Kafka's error codes: their names, whether asking again may help, and the StreamError code each becomes (org.apache.kafka.common.protocol.Errors, 4.1). */

import { type ErrorCode, type ErrorDetails, StreamError } from '../../common/errors.ts'

export interface ProtocolError {
  readonly code: number
  /** Kafka's own name: `NOT_LEADER_OR_FOLLOWER`. */
  readonly name: string
  /** The broker did nothing and the same request may succeed later, perhaps at another broker. */
  readonly retriable: boolean
  readonly becomes: ErrorCode
}

const table: ReadonlyMap<number, ProtocolError> = new Map(
  (
    [
      [-1, 'UNKNOWN_SERVER_ERROR', false, 'INTERNAL'],
      [1, 'OFFSET_OUT_OF_RANGE', false, 'OFFSET_OUT_OF_RANGE'],
      [2, 'CORRUPT_MESSAGE', true, 'CORRUPT'],
      [3, 'UNKNOWN_TOPIC_OR_PARTITION', true, 'TOPIC_MISSING'],
      [4, 'INVALID_FETCH_SIZE', false, 'INVALID_ARGUMENT'],
      [5, 'LEADER_NOT_AVAILABLE', true, 'UNREACHABLE'],
      [6, 'NOT_LEADER_OR_FOLLOWER', true, 'UNREACHABLE'],
      [7, 'REQUEST_TIMED_OUT', true, 'TIMEOUT'],
      [8, 'BROKER_NOT_AVAILABLE', true, 'UNREACHABLE'],
      [9, 'REPLICA_NOT_AVAILABLE', true, 'UNREACHABLE'],
      [10, 'MESSAGE_TOO_LARGE', false, 'PRODUCTION'],
      [11, 'STALE_CONTROLLER_EPOCH', false, 'INTERNAL'],
      [12, 'OFFSET_METADATA_TOO_LARGE', false, 'INVALID_ARGUMENT'],
      [13, 'NETWORK_EXCEPTION', true, 'UNREACHABLE'],
      [14, 'COORDINATOR_LOAD_IN_PROGRESS', true, 'UNREACHABLE'],
      [15, 'COORDINATOR_NOT_AVAILABLE', true, 'UNREACHABLE'],
      [16, 'NOT_COORDINATOR', true, 'UNREACHABLE'],
      [17, 'INVALID_TOPIC_EXCEPTION', false, 'INVALID_ARGUMENT'],
      [18, 'RECORD_LIST_TOO_LARGE', false, 'PRODUCTION'],
      [19, 'NOT_ENOUGH_REPLICAS', true, 'UNREACHABLE'],
      [20, 'NOT_ENOUGH_REPLICAS_AFTER_APPEND', true, 'UNREACHABLE'],
      [21, 'INVALID_REQUIRED_ACKS', false, 'INVALID_ARGUMENT'],
      [22, 'ILLEGAL_GENERATION', false, 'REBALANCE'],
      [23, 'INCONSISTENT_GROUP_PROTOCOL', false, 'INVALID_ARGUMENT'],
      [24, 'INVALID_GROUP_ID', false, 'INVALID_ARGUMENT'],
      [25, 'UNKNOWN_MEMBER_ID', false, 'FENCED'],
      [26, 'INVALID_SESSION_TIMEOUT', false, 'INVALID_ARGUMENT'],
      [27, 'REBALANCE_IN_PROGRESS', false, 'REBALANCE'],
      [28, 'INVALID_COMMIT_OFFSET_SIZE', false, 'INVALID_ARGUMENT'],
      [29, 'TOPIC_AUTHORIZATION_FAILED', false, 'UNAUTHORIZED'],
      [30, 'GROUP_AUTHORIZATION_FAILED', false, 'UNAUTHORIZED'],
      [31, 'CLUSTER_AUTHORIZATION_FAILED', false, 'UNAUTHORIZED'],
      [32, 'INVALID_TIMESTAMP', false, 'PRODUCTION'],
      [33, 'UNSUPPORTED_SASL_MECHANISM', false, 'UNAUTHORIZED'],
      [34, 'ILLEGAL_SASL_STATE', false, 'UNAUTHORIZED'],
      [35, 'UNSUPPORTED_VERSION', false, 'UNSUPPORTED_VERSION'],
      [36, 'TOPIC_ALREADY_EXISTS', false, 'INVALID_ARGUMENT'],
      [37, 'INVALID_PARTITIONS', false, 'INVALID_ARGUMENT'],
      [38, 'INVALID_REPLICATION_FACTOR', false, 'INVALID_ARGUMENT'],
      [39, 'INVALID_REPLICA_ASSIGNMENT', false, 'INVALID_ARGUMENT'],
      [40, 'INVALID_CONFIG', false, 'INVALID_ARGUMENT'],
      [41, 'NOT_CONTROLLER', true, 'UNREACHABLE'],
      [42, 'INVALID_REQUEST', false, 'INTERNAL'],
      [43, 'UNSUPPORTED_FOR_MESSAGE_FORMAT', false, 'UNSUPPORTED_VERSION'],
      [44, 'POLICY_VIOLATION', false, 'INVALID_ARGUMENT'],
      [45, 'OUT_OF_ORDER_SEQUENCE_NUMBER', false, 'UNKNOWN_OUTCOME'],
      [46, 'DUPLICATE_SEQUENCE_NUMBER', false, 'UNKNOWN_OUTCOME'],
      [47, 'INVALID_PRODUCER_EPOCH', false, 'FENCED'],
      [48, 'INVALID_TXN_STATE', false, 'UNKNOWN_OUTCOME'],
      [49, 'INVALID_PRODUCER_ID_MAPPING', false, 'FENCED'],
      [50, 'INVALID_TRANSACTION_TIMEOUT', false, 'INVALID_ARGUMENT'],
      // Kafka's table says not retriable, and every client retries it: the previous transaction's markers are being written.
      [51, 'CONCURRENT_TRANSACTIONS', true, 'TIMEOUT'],
      [52, 'TRANSACTION_COORDINATOR_FENCED', false, 'UNKNOWN_OUTCOME'],
      [53, 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED', false, 'UNAUTHORIZED'],
      [54, 'SECURITY_DISABLED', false, 'INVALID_ARGUMENT'],
      [55, 'OPERATION_NOT_ATTEMPTED', false, 'UNKNOWN_OUTCOME'],
      [56, 'KAFKA_STORAGE_ERROR', true, 'UNREACHABLE'],
      [57, 'LOG_DIR_NOT_FOUND', false, 'INTERNAL'],
      [58, 'SASL_AUTHENTICATION_FAILED', false, 'UNAUTHORIZED'],
      [59, 'UNKNOWN_PRODUCER_ID', false, 'UNKNOWN_OUTCOME'],
      [60, 'REASSIGNMENT_IN_PROGRESS', false, 'INVALID_ARGUMENT'],
      [61, 'DELEGATION_TOKEN_AUTH_DISABLED', false, 'UNAUTHORIZED'],
      [62, 'DELEGATION_TOKEN_NOT_FOUND', false, 'UNAUTHORIZED'],
      [63, 'DELEGATION_TOKEN_OWNER_MISMATCH', false, 'UNAUTHORIZED'],
      [64, 'DELEGATION_TOKEN_REQUEST_NOT_ALLOWED', false, 'UNAUTHORIZED'],
      [65, 'DELEGATION_TOKEN_AUTHORIZATION_FAILED', false, 'UNAUTHORIZED'],
      [66, 'DELEGATION_TOKEN_EXPIRED', false, 'UNAUTHORIZED'],
      [67, 'INVALID_PRINCIPAL_TYPE', false, 'INVALID_ARGUMENT'],
      [68, 'NON_EMPTY_GROUP', false, 'INVALID_ARGUMENT'],
      [69, 'GROUP_ID_NOT_FOUND', false, 'INVALID_ARGUMENT'],
      [70, 'FETCH_SESSION_ID_NOT_FOUND', true, 'INTERNAL'],
      [71, 'INVALID_FETCH_SESSION_EPOCH', true, 'INTERNAL'],
      [72, 'LISTENER_NOT_FOUND', true, 'UNREACHABLE'],
      [73, 'TOPIC_DELETION_DISABLED', false, 'INVALID_ARGUMENT'],
      [74, 'FENCED_LEADER_EPOCH', true, 'UNREACHABLE'],
      [75, 'UNKNOWN_LEADER_EPOCH', true, 'UNREACHABLE'],
      [76, 'UNSUPPORTED_COMPRESSION_TYPE', false, 'UNSUPPORTED_VERSION'],
      [77, 'STALE_BROKER_EPOCH', false, 'INTERNAL'],
      [78, 'OFFSET_NOT_AVAILABLE', true, 'UNREACHABLE'],
      [79, 'MEMBER_ID_REQUIRED', false, 'REBALANCE'],
      [80, 'PREFERRED_LEADER_NOT_AVAILABLE', true, 'UNREACHABLE'],
      [81, 'GROUP_MAX_SIZE_REACHED', false, 'INVALID_ARGUMENT'],
      [82, 'FENCED_INSTANCE_ID', false, 'FENCED'],
      [83, 'ELIGIBLE_LEADERS_NOT_AVAILABLE', true, 'UNREACHABLE'],
      [84, 'ELECTION_NOT_NEEDED', true, 'INTERNAL'],
      [85, 'NO_REASSIGNMENT_IN_PROGRESS', false, 'INTERNAL'],
      [86, 'GROUP_SUBSCRIBED_TO_TOPIC', false, 'INVALID_ARGUMENT'],
      [87, 'INVALID_RECORD', false, 'PRODUCTION'],
      [88, 'UNSTABLE_OFFSET_COMMIT', true, 'TIMEOUT'],
      [89, 'THROTTLING_QUOTA_EXCEEDED', true, 'TIMEOUT'],
      [90, 'PRODUCER_FENCED', false, 'FENCED'],
      [91, 'RESOURCE_NOT_FOUND', false, 'INVALID_ARGUMENT'],
      [92, 'DUPLICATE_RESOURCE', false, 'INVALID_ARGUMENT'],
      [93, 'UNACCEPTABLE_CREDENTIAL', false, 'UNAUTHORIZED'],
      [94, 'INCONSISTENT_VOTER_SET', false, 'INTERNAL'],
      [95, 'INVALID_UPDATE_VERSION', false, 'INTERNAL'],
      [96, 'FEATURE_UPDATE_FAILED', false, 'INTERNAL'],
      [97, 'PRINCIPAL_DESERIALIZATION_FAILURE', false, 'INTERNAL'],
      [98, 'SNAPSHOT_NOT_FOUND', false, 'INTERNAL'],
      [99, 'POSITION_OUT_OF_RANGE', false, 'INTERNAL'],
      [100, 'UNKNOWN_TOPIC_ID', true, 'TOPIC_MISSING'],
      [101, 'DUPLICATE_BROKER_REGISTRATION', false, 'INTERNAL'],
      [102, 'BROKER_ID_NOT_REGISTERED', false, 'INTERNAL'],
      [103, 'INCONSISTENT_TOPIC_ID', true, 'TOPIC_MISSING'],
      [104, 'INCONSISTENT_CLUSTER_ID', false, 'INVALID_ARGUMENT'],
      [105, 'TRANSACTIONAL_ID_NOT_FOUND', false, 'INVALID_ARGUMENT'],
      [106, 'FETCH_SESSION_TOPIC_ID_ERROR', true, 'INTERNAL'],
      [107, 'INELIGIBLE_REPLICA', false, 'INTERNAL'],
      [108, 'NEW_LEADER_ELECTED', false, 'UNREACHABLE'],
      [109, 'OFFSET_MOVED_TO_TIERED_STORAGE', false, 'OFFSET_OUT_OF_RANGE'],
      [110, 'FENCED_MEMBER_EPOCH', false, 'FENCED'],
      [111, 'UNRELEASED_INSTANCE_ID', false, 'FENCED'],
      [112, 'UNSUPPORTED_ASSIGNOR', false, 'INVALID_ARGUMENT'],
      [113, 'STALE_MEMBER_EPOCH', false, 'REBALANCE'],
      [114, 'MISMATCHED_ENDPOINT_TYPE', false, 'INVALID_ARGUMENT'],
      [115, 'UNSUPPORTED_ENDPOINT_TYPE', false, 'INVALID_ARGUMENT'],
      [116, 'UNKNOWN_CONTROLLER_ID', false, 'INTERNAL'],
      [117, 'UNKNOWN_SUBSCRIPTION_ID', false, 'INTERNAL'],
      [118, 'TELEMETRY_TOO_LARGE', false, 'INTERNAL'],
      [119, 'INVALID_REGISTRATION', false, 'INTERNAL'],
      // A transaction in this state can only be aborted; the engine takes a new epoch, which does that.
      [120, 'TRANSACTION_ABORTABLE', false, 'UNKNOWN_OUTCOME'],
    ] as const
  ).map(([code, name, retriable, becomes]) => [code, { code, name, retriable, becomes }]),
)

/** What a non-zero error code of a response means. Codes of newer brokers are not retriable and become INTERNAL. */
export function protocolError(code: number): ProtocolError {
  return table.get(code) ?? { code, name: `ERROR_${code}`, retriable: false, becomes: 'INTERNAL' }
}

/**
 * A StreamError for a non-zero error code.
 * @param what what was asked, as the subject of the sentence: `fetching orders-3 at 42`.
 * @param detail the broker's own message, when it sent one.
 */
export function protocolFailure(
  code: number,
  what: string,
  details: ErrorDetails & { detail?: string | null } = {},
): StreamError {
  const error = protocolError(code)
  const detail = details.detail ? `: ${details.detail}` : ''
  return new StreamError(error.becomes, `${what} failed, the broker answers ${error.name} (${code})${detail}`, details)
}
