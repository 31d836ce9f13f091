import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../../src/standalone/sip-server/main.js', import.meta.url));

export const secret = 'not-a-real-secret';
const key = '00112233445566778899aabbccddeeff';

export interface ServerProcess {
  readonly child: ChildProcess;
  readonly sipPort: number;
  readonly controlPort: number;
  /** Everything it wrote to stderr. */
  log(): string;
  /** Sends a signal and waits for the end. @returns the exit code */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** Starts the program as its users do, and waits for its ready line. Ports of 0 are any. */
export async function startServer(sipPort = 0, controlPort = 0): Promise<ServerProcess> {
  const child = spawn(process.execPath, [program], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      ...process.env,
      SIP_SERVER_SIP: `127.0.0.1:${sipPort}`,
      SIP_SERVER_CONTROL: `127.0.0.1:${controlPort}`,
      SIP_SERVER_SECRET: secret,
      SIP_SERVER_KEY: key,
    },
  });
  let log = '';
  child.stderr.on('data', (text: Buffer) => (log += text.toString()));
  const line = await new Promise<string>((done, fail) => {
    child.stdout.once('data', (text: Buffer) => done(text.toString()));
    child.once('exit', (code) => fail(new Error(`ended with ${code}: ${log}`)));
  });
  const ready = JSON.parse(line) as { ready: true; sip: string; control: string };
  const port = (address: string): number => Number(address.split(':').at(-1));
  return {
    child,
    sipPort: port(ready.sip),
    controlPort: port(ready.control),
    log: () => log,
    end: async (signal) => {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, 'exit');
        child.kill(signal);
        await ended;
      }
      return child.exitCode;
    },
  };
}
