import type { Transport } from '../directory/transport.js';

/**
 * Whether calls can be taken by drachtio-server: it is there, and listens on what the directory's trunks speak. `addresses` are
 * as it announced them, `udp/192.0.2.1:5060`; one that announces none is believed.
 */
export function sipPart(
  { up, addresses }: { readonly up: boolean; readonly addresses: readonly string[] },
  transport: Transport,
): { readonly ok: boolean; readonly detail?: string } {
  if (!up || addresses.length === 0 || addresses.some((one) => one.startsWith(`${transport}/`)))
    return { ok: up };
  return { ok: false, detail: `the SIP server does not listen on ${transport}, which the trunks speak` };
}
