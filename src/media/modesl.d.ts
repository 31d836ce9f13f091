// modesl 1.2.1 ships no types: this is what the adapter beside it uses.
declare module 'modesl' {
  import type { EventEmitter } from 'node:events';
  import type { Socket } from 'node:net';

  interface EslEvent {
    getHeader(name: string): string | null;
    getBody(): string;
  }

  interface EslParser extends EventEmitter {
    _parseHeaderText(text: string): Record<string, string | number>;
    _parseEvent(headers: Record<string, unknown>, body?: string): void;
  }

  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- it is the shape of what `esl` below holds
  class Connection extends EventEmitter {
    constructor(host: string, port: number, password: string);
    socket: Socket | null;
    parser: EslParser;
    reqEvents: string[];
    _onConnect(): void;
    sendRecv(command: string, callback: (reply: EslEvent) => void): void;
    api(command: string, callback: (reply: EslEvent) => void): void;
  }

  const esl: { Connection: typeof Connection };
  export default esl;
}
