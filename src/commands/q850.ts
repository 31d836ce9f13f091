/** What the causes of ITU-T Q.850 mean that the switch gives, in words. */
const WORDS: Readonly<Record<number, string>> = {
  1: 'no such number',
  2: 'no route to the network',
  3: 'no route to the destination',
  16: 'normal call clearing',
  17: 'busy',
  18: 'no answer from the device',
  19: 'it rang and nobody answered',
  20: 'the subscriber is absent',
  21: 'the call was rejected',
  22: 'the number has changed',
  23: 'redirected to a new destination',
  25: 'a routing error in the network',
  26: 'another device answered',
  27: 'the destination is out of order',
  28: 'the number is incomplete or malformed',
  29: 'a facility was rejected',
  31: 'normal, unspecified',
  34: 'no circuit was free',
  38: 'the network is out of order',
  41: 'a temporary failure',
  42: 'congestion',
  44: 'the channel is not available',
  50: 'the facility is not subscribed',
  54: 'incoming calls are barred',
  57: 'not authorised',
  58: 'not available at present',
  63: 'the service is not available',
  65: 'not implemented',
  79: 'not implemented',
  88: 'no codec or transport in common',
  102: 'a timer ran out',
  111: 'a protocol error',
  127: 'interworking, unspecified',
};

/** A Q.850 cause in words; its number where we have none. */
export function q850Words(cause: number): string {
  return WORDS[cause] ?? `cause ${String(cause)}`;
}
