// An inner module that the package's own declarations leave out; what of it is guarded is in drachtio-types.ts.
declare module 'drachtio-srf/lib/wire-protocol.js' {
  const WireProtocol: unknown;
  export default WireProtocol;
}
