/**
 * What kind of end each of FreeSWITCH's hangup causes is, with its Q.850 number; the causes that FreeSWITCH adds to Q.850
 * (its numbers above 127) carry the one that comes nearest.
 */
export type EndKind =
  | 'cleared' // somebody hung up
  | 'busy'
  | 'silent' // rang, or was asked, and nobody came
  | 'declined'
  | 'gaveUp' // the caller did not wait
  | 'number' // there is nobody behind what was called, or he is away
  | 'media' // the two ends have no codec or transport in common
  | 'network' // a trunk, a carrier, the way there
  | 'ours'
  | 'unknown';

export const HANGUP_CAUSES = {
  UNALLOCATED_NUMBER: ['number', 1],
  NO_ROUTE_TRANSIT_NET: ['network', 2],
  NO_ROUTE_DESTINATION: ['number', 3],
  CHANNEL_UNACCEPTABLE: ['network', 6],
  CALL_AWARDED_DELIVERED: ['network', 7],
  NORMAL_CLEARING: ['cleared', 16],
  USER_BUSY: ['busy', 17],
  NO_USER_RESPONSE: ['silent', 18],
  NO_ANSWER: ['silent', 19],
  SUBSCRIBER_ABSENT: ['number', 20],
  CALL_REJECTED: ['declined', 21],
  NUMBER_CHANGED: ['number', 22],
  REDIRECTION_TO_NEW_DESTINATION: ['number', 23],
  EXCHANGE_ROUTING_ERROR: ['network', 25],
  DESTINATION_OUT_OF_ORDER: ['number', 27],
  INVALID_NUMBER_FORMAT: ['number', 28],
  FACILITY_REJECTED: ['network', 29],
  RESPONSE_TO_STATUS_ENQUIRY: ['network', 30],
  NORMAL_UNSPECIFIED: ['unknown', 31],
  NORMAL_CIRCUIT_CONGESTION: ['network', 34],
  NETWORK_OUT_OF_ORDER: ['network', 38],
  NORMAL_TEMPORARY_FAILURE: ['network', 41],
  SWITCH_CONGESTION: ['network', 42],
  ACCESS_INFO_DISCARDED: ['network', 43],
  REQUESTED_CHAN_UNAVAIL: ['network', 44],
  PRE_EMPTED: ['network', 45],
  FACILITY_NOT_SUBSCRIBED: ['network', 50],
  OUTGOING_CALL_BARRED: ['network', 52],
  INCOMING_CALL_BARRED: ['network', 54],
  BEARERCAPABILITY_NOTAUTH: ['network', 57],
  BEARERCAPABILITY_NOTAVAIL: ['network', 58],
  SERVICE_UNAVAILABLE: ['network', 63],
  BEARERCAPABILITY_NOTIMPL: ['network', 65],
  CHAN_NOT_IMPLEMENTED: ['ours', 66],
  FACILITY_NOT_IMPLEMENTED: ['network', 69],
  SERVICE_NOT_IMPLEMENTED: ['network', 79],
  INVALID_CALL_REFERENCE: ['network', 81],
  INCOMPATIBLE_DESTINATION: ['media', 88],
  INVALID_MSG_UNSPECIFIED: ['network', 95],
  MANDATORY_IE_MISSING: ['network', 96],
  MESSAGE_TYPE_NONEXIST: ['network', 97],
  WRONG_MESSAGE: ['network', 98],
  IE_NONEXIST: ['network', 99],
  INVALID_IE_CONTENTS: ['network', 100],
  WRONG_CALL_STATE: ['network', 101],
  RECOVERY_ON_TIMER_EXPIRE: ['network', 102],
  MANDATORY_IE_LENGTH_ERROR: ['network', 103],
  PROTOCOL_ERROR: ['network', 111],
  INTERWORKING: ['network', 127],
  NONE: ['unknown', 0],
  SUCCESS: ['cleared', 16],
  ORIGINATOR_CANCEL: ['gaveUp', 16],
  CRASH: ['ours', 41],
  SYSTEM_SHUTDOWN: ['ours', 41],
  LOSE_RACE: ['unknown', 26],
  MANAGER_REQUEST: ['ours', 41],
  BLIND_TRANSFER: ['cleared', 16],
  ATTENDED_TRANSFER: ['cleared', 16],
  ALLOTTED_TIMEOUT: ['silent', 19],
  USER_CHALLENGE: ['network', 21],
  MEDIA_TIMEOUT: ['network', 41],
  PICKED_OFF: ['unknown', 26],
  USER_NOT_REGISTERED: ['number', 20],
  PROGRESS_TIMEOUT: ['silent', 19],
  INVALID_GATEWAY: ['ours', 41],
  GATEWAY_DOWN: ['network', 38],
  INVALID_URL: ['ours', 41],
  INVALID_PROFILE: ['ours', 41],
  NO_PICKUP: ['silent', 19],
  SRTP_READ_ERROR: ['network', 41],
  BOWOUT: ['cleared', 16],
  BUSY_EVERYWHERE: ['busy', 17],
  DECLINE: ['declined', 21],
  DOES_NOT_EXIST_ANYWHERE: ['number', 1],
  NOT_ACCEPTABLE: ['media', 88],
  UNWANTED: ['declined', 21],
  NO_IDENTITY: ['network', 21],
  BAD_IDENTITY_INFO: ['network', 21],
  UNSUPPORTED_CERTIFICATE: ['network', 21],
  INVALID_IDENTITY: ['network', 21],
  STALE_DATE: ['network', 21],
  REJECT_ALL: ['declined', 21],
} as const satisfies Readonly<Record<string, readonly [EndKind, number]>>;

export type HangupCause = keyof typeof HANGUP_CAUSES;

/** The kind and Q.850 number of a cause by its name; of a name that FreeSWITCH did not have when this was written, unknown and 31. */
export function causeOf(name: string): readonly [EndKind, number] {
  return Object.hasOwn(HANGUP_CAUSES, name) ? HANGUP_CAUSES[name as HangupCause] : ['unknown', 31];
}
