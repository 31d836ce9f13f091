/** An IPv4 address, or an IPv6 network of 64 bits: a machine has as many IPv6 addresses as it likes. */
export function machineOf(address: string): string {
  return isV4(address) ? plainV4(address) : groups(address).slice(0, 4).join(':');
}

/** The block that addresses are handed out by: 24 bits of IPv4, 56 of IPv6. */
export function blockOf(address: string): string {
  if (isV4(address)) return `${plainV4(address).split('.').slice(0, 3).join('.')}.`;
  const [a = '0', b = '0', c = '0', d = '0'] = groups(address);
  return `${a}:${b}:${c}:${(Number.parseInt(d, 16) >> 8).toString(16)}/56`;
}

/** Also an IPv4 address as a socket of both families tells it: `::ffff:192.0.2.1`. */
function isV4(address: string): boolean {
  return !address.includes(':') || (address.startsWith('::ffff:') && address.includes('.'));
}

function plainV4(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}

/** The eight groups of an IPv6 address, without leading zeros; a zone is no part of it. */
function groups(address: string): string[] {
  const [bare = ''] = address.split('%', 1);
  const [head = '', tail] = bare.split('::');
  const left = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const right = tail === '' ? [] : tail.split(':');
    while (left.length < 8 - right.length) left.push('0');
    left.push(...right);
  }
  return left.map((group) => group.replace(/^0+(?=.)/, '').toLowerCase());
}
