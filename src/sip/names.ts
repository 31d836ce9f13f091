import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { parseSipUri } from './sip-uri.js';

/** What of DNS is used. Both reject where there is no such address. */
export interface NameServers {
  resolve4(name: string): Promise<readonly string[]>;
  resolve6(name: string): Promise<readonly string[]>;
}

const DEADLINE_MS = 2000;

/**
 * Names of gateways and destinations, before drachtio-server is told of them. Of a name that it cannot find it never gives the
 * caller an answer (1.0.0), and where it was built with its assertions it ends itself, and every call that rings with it. It
 * asks DNS alone, never the hosts file, and so is asked here.
 */
export class Names {
  readonly #servers: NameServers;
  readonly #ipv6: boolean;

  /** `ipv6`: whether drachtio-server's address is one; it reaches none of the other kind. */
  constructor(ipv6 = false, servers?: NameServers) {
    this.#ipv6 = ipv6;
    this.#servers = servers ?? new Resolver({ timeout: DEADLINE_MS / 2, tries: 1 });
  }

  /** Whether the SIP URI's host is an address, or a name that has one within 2 s. Never rejects. */
  async lead(uri: string): Promise<boolean> {
    const host = parseSipUri(uri)?.host.replace(/^\[|\]$/g, '');
    if (host === undefined) return false;
    if (isIP(host) !== 0) return true;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<readonly string[]>((resolve) => {
      timer = setTimeout(resolve, DEADLINE_MS, []);
    });
    const found = this.#ipv6 ? this.#servers.resolve6(host) : this.#servers.resolve4(host);
    try {
      return (await Promise.race([found, late])).length > 0;
    } catch {
      // DNS said no, or nothing: either way there is nowhere to send to.
      return false;
    } finally {
      clearTimeout(timer);
    }
  }
}
