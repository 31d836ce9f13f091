import type { Declaration } from '../../src/directory/declaration.js';
import { DeclarationFault, faultLine } from '../../src/directory/faults.js';
import { readDeclaration } from '../../src/directory/file.js';

/** Files beside the declaration, by name. */
export const beside = new Map<string, string>();
export const CONTEXT = {
  ownOrigins: ['http://127.0.0.1:8080', 'http://localhost:8080'],
  readBeside: (name: string): string => {
    const text = beside.get(name);
    if (text === undefined) throw Object.assign(new Error('not there'), { code: 'ENOENT' });
    return text;
  },
};

export function read(text: string): Declaration {
  return readDeclaration(text, CONTEXT);
}

export function faults(text: string): string[] {
  try {
    read(text);
  } catch (error) {
    if (error instanceof DeclarationFault) return error.faults.map(faultLine);
    throw error;
  }
  return [];
}

/** A file with one good account, and `parts` in place of its parts. */
export function file(parts: Record<string, string> = {}): string {
  const good: Record<string, string> = {
    name: 'acme',
    timeZone: 'Europe/Berlin',
    apiKeys: '[{name: main, key: a-key-that-nobody-will-guess}]',
    trunks: '[{name: carrier, addresses: [192.0.2.0/24], gateway: "sip.example.com"}]',
    endpoints: '[{name: sales, destinations: ["sip:agent@192.0.2.9:5070"]}]',
    sites: '[{name: shop, origins: [https://www.example.com], printedNumber: "+12125550150"}]',
    pools: '[{name: main, numbers: [+12025550100-+12025550199]}]',
    ...parts,
  };
  const lines = Object.entries(good).map(([key, value]) => `${key}: ${value}`);
  return `apiVersion: tagswitch/v1\naccounts:\n  - ${lines.join('\n    ')}\n`;
}
