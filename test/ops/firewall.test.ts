import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { HOSTS, PORTS, type Report } from './firewall-net.js';
import { root, run } from './tool.js';

type Host = keyof typeof HOSTS;
type Port = keyof typeof PORTS;

/** Who may reach what. Everything else of these ports is closed. */
const ALLOWED: Readonly<Record<Port, readonly Host[]>> = {
  sipUdp: ['trunk', 'mediaNode'],
  sipTcp: ['trunk', 'mediaNode'],
  nodeSipUdp: ['drachtio'],
  nodeSipTcp: ['drachtio'],
  events: ['application'],
  control: ['application'],
  redis: ['application'],
  rtp: ['trunk', 'stranger', 'mediaNode', 'drachtio', 'application'],
  elsewhere: ['trunk', 'stranger', 'mediaNode', 'drachtio', 'application'],
};

t.test('the firewall lets in who is listed, with real packets', async (t) => {
  const program = fileURLToPath(new URL('./firewall-net.js', import.meta.url));
  const rules = join(root, 'docker/nftables.conf');
  // Whoever is not root is root in a user namespace of his own, where the kernel permits it.
  const asRoot = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  const { code, out, err } = await run('unshare', [
    ...asRoot,
    '--net',
    '--mount',
    process.execPath,
    program,
    'switch',
    rules,
  ]);
  t.equal(code, 0, `unshare, ip and nft: ${err}`);
  const { before, after, own } = JSON.parse(out) as Report;
  const ports = Object.keys(PORTS) as Port[];
  const hosts = Object.keys(HOSTS) as Host[];
  for (const port of ports) {
    for (const host of hosts) {
      t.equal(before[`${host} ${port}`], true, `${host} reaches ${port} while there are no rules`);
      const may = ALLOWED[port].includes(host);
      t.equal(after[`${host} ${port}`], may, `${host} ${may ? 'reaches' : 'does not reach'} ${port}`);
    }
    t.equal(own[port], true, `the switch reaches its own ${port}`);
  }
});
