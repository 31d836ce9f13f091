import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import WireProtocol from 'drachtio-srf/lib/wire-protocol.js';
import type { WireProtocolInstance, WireProtocolPrototype } from './drachtio-types.js';

/** What the guard tells the connection whose socket it is. */
export interface SocketWatcher {
  /** `send` puts a frame on it, once it is authenticated. */
  socketOpened(socket: Socket, send: (frame: string) => void): void;
  malformedFrame(error: Error): void;
  /** A whole frame, before the library sees it; what it is to see, undefined for nothing. `send` answers it with a frame. */
  frame(frame: string, send: (frame: string) => void): string | undefined;
}

const watchers = new Map<string, SocketWatcher>();
let installed = false;

/**
 * Guards drachtio-srf's control connection, once for the process. Without it
 * - a malformed frame is thrown out of the socket's data handler and ends the process;
 * - TCP_NODELAY is lost with the first reconnection, and with it 40 ms a command (Nagle against delayed acknowledgement);
 * - a message that it cannot read is printed, and whoever sent it gets no answer; a response of that kind is thrown likewise;
 * - every frame of a record is parsed as a SIP message, eight a call;
 * - each frame that is sent is put together twice more, for a debug log that is off;
 * - nobody can see whether a silent server still answers.
 */
export function guardWireProtocol(host: string, port: number, watcher: SocketWatcher): () => void {
  const key = `${host}:${String(port)}`;
  watchers.set(key, watcher);
  if (!installed) {
    installed = true;
    patch((WireProtocol as { prototype: WireProtocolPrototype }).prototype);
  }
  return () => {
    if (watchers.get(key) === watcher) watchers.delete(key);
  };
}

function patch(prototype: WireProtocolPrototype): void {
  /* eslint-disable @typescript-eslint/unbound-method -- called with the instance below */
  const onData = prototype._onData;
  const installListeners = prototype.installListeners;
  const emit = prototype.emit;
  /* eslint-enable @typescript-eslint/unbound-method */
  const keys = new WeakMap<WireProtocolInstance, string>();
  const watcherOf = (wire: WireProtocolInstance): SocketWatcher | undefined => {
    let key = keys.get(wire);
    // An instance connects with one address all its life.
    if (key === undefined) keys.set(wire, (key = `${String(wire.host)}:${String(wire.port)}`));
    return watchers.get(key);
  };

  prototype._onData = function (socket, data) {
    try {
      onData.call(this, socket, data);
    } catch (error) {
      watcherOf(this)?.malformedFrame(error instanceof Error ? error : new Error(String(error)));
      // The stream has lost its framing: only a new connection finds it again.
      socket.destroy();
    }
  };
  prototype.send = (socket, message) => {
    const id = randomUUID();
    const frame = `${id}|${message}`;
    socket.write(`${String(Buffer.byteLength(frame))}#${frame}`);
    return id;
  };
  prototype.emit = function (event, ...values) {
    const [socket, frame] = values;
    const send = (text: string): void => {
      this.send(socket as Socket, text);
    };
    const watcher = event === 'msg' && typeof frame === 'string' ? watcherOf(this) : undefined;
    if (watcher === undefined || typeof frame !== 'string') return emit.call(this, event, ...values);
    const seen = watcher.frame(frame, send);
    return seen === undefined || emit.call(this, event, socket, seen);
  };
  prototype.installListeners = function (socket) {
    socket.setNoDelay(true);
    installListeners.call(this, socket);
    watcherOf(this)?.socketOpened(socket, (frame) => {
      this.send(socket, frame);
    });
  };
}
