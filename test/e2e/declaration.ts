import { transportParameter, type Transport } from '../../src/directory/transport.js';

/** One endpoint of the tests: its ring groups, and how its pool is. */
export interface EndpointOf {
  readonly name: string;
  /** Ring groups of SIP addresses: inside a group they ring together. */
  readonly ring: readonly (readonly string[])[];
  readonly ringMs?: number;
  readonly whisper?: string;
  /** false: a number of the pool that nobody held leads nowhere. */
  readonly answersUnheld?: boolean;
}

/** The numbers of endpoint `index`: the hundred fictional ones of an area of its own (+1 202 555 01XX and on). */
export function numbersOf(index: number): { readonly first: string; readonly last: string } {
  const area = 202 + index;
  // 211 is no area, and the printed number is of 212.
  const prefix = `+1${String(area < 211 ? area : area + 2)}55501`;
  return { first: `${prefix}00`, last: `${prefix}99` };
}

/** The YAML below an account: a site, a trunk for 127.0.0.1, and for each endpoint a pool of its own. */
export function declarationOf(endpoints: readonly EndpointOf[], transport: Transport = 'udp'): string {
  const suffix = transportParameter(transport);
  const lines = [
    '    trunks:',
    '      - name: carrier',
    '        addresses: [127.0.0.1/32]',
    `        transport: ${transport}`,
    '    sites:',
    '      - name: site',
    '        origins: [self]',
    "        printedNumber: '+12125550150'",
    '    endpoints:',
  ];
  for (const { name, ring, ringMs = 20_000, whisper } of endpoints) {
    lines.push(`      - name: ${name}`, '        ring:');
    for (const group of ring) {
      lines.push(`          - ringMs: ${String(ringMs)}`, '            destinations:');
      for (const to of group) lines.push(`              - ${to}${suffix}`);
    }
    if (whisper !== undefined) lines.push(`        whisper: ${whisper}`);
  }
  lines.push('    pools:');
  endpoints.forEach(({ name, answersUnheld = true }, index) => {
    const { first, last } = numbersOf(index);
    lines.push(
      `      - name: pool-${name}`,
      `        numbers: ['${first}-${last}']`,
      '        trunk: carrier',
      `        endpoint: ${name}`,
    );
    if (answersUnheld) lines.push(`        defaultEndpoint: ${name}`);
  });
  return `${lines.join('\n')}\n`;
}
