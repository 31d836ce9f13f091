// An inner module that the package's own declarations leave out; what of it is guarded is in drachtio-types.ts.
declare module 'drachtio-srf/lib/wire-protocol.js' {
  const WireProtocol: unknown;
  export default WireProtocol;
}

// Its reader of messages: tests hold the guard (sip-frame.ts) against it.
declare module 'drachtio-srf/lib/sip-parser/parser.js' {
  const parser: unknown;
  export default parser;
}
