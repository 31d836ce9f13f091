/**
 * Messages of our own after the cases of RFC 4475 and RFC 5118, named by their sections, and some that those leave out. What
 * the standalone SIP server does with each is what it is held to; where the RFC leaves a choice, `why` says what was chosen.
 */
export interface Case {
  readonly name: string;
  /** Lines of the head without Via and Call-ID, which are put in, unless they hold one; `{host}` stands for the server, `{me}` for the sender. */
  readonly lines: readonly string[];
  readonly body?: string;
  /** `taken`: an application is given it, and its 200 comes back. A number: refused before that. `dropped`: not a word. */
  readonly expected: 'taken' | 'dropped' | number;
  readonly why?: string;
  /** Text that the application is given with it. */
  readonly seen?: string;
  /** A line that holds a Via or a Call-ID, or stands for their absence. */
  readonly without?: readonly ('Via' | 'Call-ID')[];
}

const FROM = 'From: <sip:+12025550123@example.com>;tag=f1';
const TO = 'To: <sip:+12025550100@example.com>';
const options = 'OPTIONS sip:+12025550100@{host} SIP/2.0';
const register = 'REGISTER sip:{host} SIP/2.0';
/** A message with nothing odd but `more`. */
const plain = (...more: string[]): string[] => [
  options,
  FROM,
  TO,
  'CSeq: 4 OPTIONS',
  'Max-Forwards: 70',
  ...more,
];
const registers = (...more: string[]): string[] => [
  register,
  FROM,
  TO,
  'CSeq: 4 REGISTER',
  'Max-Forwards: 70',
  ...more,
];
/** A response that nobody here asked for. */
const response = (start: string, ...more: string[]): string[] => [
  start,
  FROM,
  'To: <sip:b@example.com>;tag=t',
  ...more,
];

export const valid: readonly Case[] = [
  {
    name: '4475 3.1.1.1 folds, blanks, short names, headers that nobody knows',
    lines: [
      'OPTIONS sip:+12025550100;par=u%40example.net@{host} SIP/2.0', 'TO :', '  sip:+12025550100@example.com ;   tag    =', '\tt9',
      'f   : "O\\\\dd \\"name\\"" <sip:+12025550123@example.com>', '  ;', '  tag = f2', 'mAx-FoRwArDs: 0070', 'cSeQ: 0007', '  OPTIONS',
      'Content-Length   : 0', 's :', 'Not-Known: here is ;; a=b ,, "c"', '  and "more"', 'm:"Q, u" <sip:a@example.com>;new=1;q = 0.3',
    ],
    expected: 'taken',
    why: 'a To tag without a dialog is the application’s to answer, except for INVITE',
  },
  { name: '4475 3.1.1.2 every character a method may have', lines: ["!Odd-Method0189_*+`.%deed'~ sip:a@{host} SIP/2.0", FROM, TO, "CSeq: 4 !Odd-Method0189_*+`.%deed'~"], expected: 501 },
  { name: '4475 3.1.1.2 every character a user may have', lines: ["OPTIONS sip:1_o.u!~*'()&=+$,;?/%41:&it@{host};q=%41 SIP/2.0", FROM, TO, 'CSeq: 4 OPTIONS'], expected: 'taken' },
  { name: '4475 3.1.1.3 escapes in a user', lines: ['OPTIONS sip:sips%3A%2B12025550100%40example.com@{host} SIP/2.0', FROM, TO, 'CSeq: 4 OPTIONS'], expected: 'taken', seen: 'sips%3A%2B12025550100%40example.com@' },
  { name: '4475 3.1.1.4 an escaped NUL', lines: [register, 'From: <sip:nul-%00-l@example.com>;tag=1', 'To: <sip:nul-%00-l@example.com>', 'CSeq: 4 REGISTER', 'Contact: <sip:%00@example.com>'], expected: 'taken', seen: 'nul-%00-l' },
  { name: '4475 3.1.1.5 a percent sign that escapes nothing', lines: ['OPT%49ONS sip:a@{host} SIP/2.0', FROM, TO, 'CSeq: 4 OPT%49ONS'], expected: 501, why: 'escapes mean nothing in a method' },
  { name: '4475 3.1.1.6 no blank before the bracket', lines: plain('Contact: caller<sip:a@example.com>').map((line) => line.replace('From: <', 'From: caller<')), expected: 'taken' },
  { name: '4475 3.1.1.7 long values', lines: plain(`Contact: "${'n'.repeat(300)}" <sip:${'u'.repeat(600)}@example.com;${'p'.repeat(300)}=${'v'.repeat(300)}>`, `X-${'h'.repeat(300)}: ${'w'.repeat(9000)}`, ...Array.from({ length: 30 }, (_, i) => `Via: SIP/2.0/UDP h${String(i)}.example.com;branch=z9hG4bK${'b'.repeat(200)}`)), expected: 'taken' },
  { name: '4475 3.1.1.8 bytes behind the end of a datagram', lines: plain('Content-Length: 4'), body: 'bodyINVITE sip:b@example.com SIP/2.0\r\nX: 1\r\n\r\n', expected: 'taken', seen: '\r\n\r\nbody' },
  { name: '4475 3.1.1.9 parameters in a user', lines: ['OPTIONS sip:+12025550100;phone-context=x;y=z@{host} SIP/2.0', FROM, TO, 'CSeq: 4 OPTIONS'], expected: 'taken' },
  { name: '4475 3.1.1.10 transports of all kinds in Via', lines: plain('Via: SIP/2.0/SCTP a.example.com;branch=z9hG4bK1', 'Via: SIP/2.0/TLS b.example.com;branch=z9hG4bK2', 'Via: SIP/2.0/CARRIER-PIGEON c.example.com;branch=z9hG4bK3'), expected: 'taken' },
  { name: '4475 3.1.1.11 a body of parts, one of them binary', lines: plain('Content-Type: multipart/mixed;boundary=cut', 'Content-Length: 41'), body: '--cut\r\nX: 1\r\n\r\n\u0001\u0002\r\n\r\n\u0003--cut\r\n\r\nxyz--cut--', expected: 'taken', seen: '\u0001\u0002\r\n\r\n\u0003' },
  { name: '4475 3.1.1.12 a reason of bytes beyond ASCII', lines: response('SIP/2.0 200 = 2**3 * 5**2 но сто', 'CSeq: 4 INVITE'), expected: 'dropped' },
  { name: '4475 3.1.1.13 no reason', lines: response('SIP/2.0 100 ', 'CSeq: 4 INVITE'), expected: 'dropped' },
  { name: '4475 3.2.1 a branch that is the cookie alone', lines: plain('Via: SIP/2.0/UDP {me};rport;branch=z9hG4bK'), without: ['Via'], expected: 'taken' },
  { name: '4475 3.3.4 schemes that nobody knows in To, From and Contact', lines: [register, 'From: <http://a.example.com>;tag=1', 'To: <isbn:2983792873>', 'CSeq: 4 REGISTER', 'Contact: <unknown:x>'], expected: 'taken' },
  { name: '4475 3.3.6 a body of a type that nobody knows', lines: plain('Content-Type: application/unknown-x', 'Content-Length: 3'), body: '<x>', expected: 'taken' },
  { name: '4475 3.3.7 a way to authenticate that nobody knows', lines: registers('Authorization: NoOne-Knows-This opaque-data=here'), expected: 'taken' },
  { name: '4475 3.3.11 no hop left', lines: plain().map((line) => line.replace('Max-Forwards: 70', 'Max-Forwards: 0')), expected: 'taken', why: 'the application answers it itself; a proxied one gets 483' },
  { name: '4475 3.3.12 a Contact’s own parameter in brackets', lines: registers('Contact: <sip:+12025550123@example.com;x-own>;expires=3'), expected: 'taken' },
  { name: '4475 3.3.13 the same without brackets', lines: registers('Contact: sip:+12025550123@example.com;x-own'), expected: 'taken' },
  { name: '4475 3.3.14 a Route escaped in a Contact', lines: registers('Contact: <sip:a@example.com?Route=%3Csip:b.example.com%3E>'), expected: 'taken' },
  { name: '4475 3.3.15 an answer of a kind that we have not', lines: plain('Accept: text/nobody-knows-this'), expected: 'taken' },
  { name: '4475 3.4.1 as of RFC 2543: no branch, no tag, no hop count', lines: ['OPTIONS sip:+12025550100@{host} SIP/2.0', 'Via: SIP/2.0/UDP {me}', 'From: <sip:a@example.com>', 'To: <sip:b@example.com>', 'CSeq: 1 OPTIONS'], without: ['Via'], expected: 'taken' },
  { name: '4475 3.1.2.12 a Date of another time zone', lines: plain('Date: Fri, 01 Jan 2010 16:00:00 EST'), expected: 'taken', why: 'nobody here needs it' },
  { name: '4475 3.1.2.14 blanks around the URI in brackets', lines: plain('Contact: "A, b" < sip:a@example.com >'), expected: 'taken', why: 'plain enough to be read' },
  { name: '4475 3.1.2.11 headers escaped in the request URI', lines: ['OPTIONS sip:a@{host}?Route=%3Csip:b.example.com%3E SIP/2.0', FROM, TO, 'CSeq: 4 OPTIONS'], expected: 'taken', why: 'they are never made headers of' },
  { name: '5118 4.1 addresses of IPv6', lines: ['OPTIONS sip:[2001:db8::10] SIP/2.0', 'From: <sip:a@[2001:db8::9:1]>;tag=1', TO, 'CSeq: 4 OPTIONS', 'Contact: <sip:a@[2001:db8::1]>', 'Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKv6'], expected: 'taken' },
  { name: '5118 4.3 a port or not', lines: ['OPTIONS sip:[2001:db8::10:5070] SIP/2.0', FROM, TO, 'CSeq: 4 OPTIONS'], expected: 'taken' },
  { name: '5118 4.4 a port', lines: ['OPTIONS sip:[2001:db8::10]:5070 SIP/2.0', FROM, TO, 'CSeq: 4 OPTIONS'], expected: 'taken' },
  { name: '5118 4.5 received with brackets and without', lines: plain('Via: SIP/2.0/UDP [2001:db8::9];received=[2001:db8::9:255];branch=z9hG4bKa', 'Via: SIP/2.0/UDP [2001:db8::9];received=2001:db8::9:255;branch=z9hG4bKb'), expected: 'taken' },
  { name: '5118 4.9 IPv4 mapped into IPv6', lines: plain('Contact: <sip:a@[::ffff:192.0.2.10]>', 'Via: SIP/2.0/UDP [::ffff:192.0.2.10];branch=z9hG4bKm'), expected: 'taken' },
  { name: 'nothing but a length of zero with zeros before it', lines: plain('Content-Length: 0000'), expected: 'taken' },
]; // prettier-ignore

export const invalid: readonly Case[] = [
  { name: '4475 3.1.2.1 separators without anything between', lines: plain('Via: SIP/2.0/UDP 192.0.2.15;;,;,,'), expected: 'taken', why: 'only the topmost Via is ours to read; empty values are none (RFC 3261, 7.3.1)' },
  { name: '4475 3.1.2.2 a length beyond the end', lines: plain('Content-Length: 9999'), body: 'x', expected: 400 },
  { name: '4475 3.1.2.3 a negative length', lines: plain('Content-Length: -999'), expected: 400 },
  { name: '4475 3.1.2.4 numbers too large', lines: [register, FROM, TO, 'CSeq: 36893488147419103232 REGISTER', 'Max-Forwards: 300', 'Expires: 10000000000000000000000000'], expected: 400 },
  { name: '4475 3.1.2.5 numbers too large in a response', lines: response('SIP/2.0 503 Service Unavailable', 'CSeq: 9292394834772304023312 OPTIONS', 'Retry-After: 949302838503028349304023988'), expected: 'dropped' },
  { name: '4475 3.1.2.6 a quote that nothing closes', lines: [options, FROM, 'To: "Mr. A <sip:+12025550100@example.com>', 'CSeq: 4 OPTIONS'], expected: 400, why: 'its To goes back as it came' },
  { name: '4475 3.1.2.7 brackets around the request URI', lines: ['OPTIONS <sip:a@{host}> SIP/2.0', FROM, TO, 'CSeq: 4 OPTIONS'], expected: 400 },
  { name: '4475 3.1.2.8 a blank in the request URI', lines: ['OPTIONS sip:a@{host}; lr SIP/2.0', FROM, TO, 'CSeq: 4 OPTIONS'], expected: 400 },
  { name: '4475 3.1.2.9 two blanks in the request line', lines: ['OPTIONS  sip:a@{host} SIP/2.0', FROM, TO, 'CSeq: 4 OPTIONS'], expected: 400 },
  { name: '4475 3.1.2.10 a blank behind it', lines: ['OPTIONS sip:a@{host} SIP/2.0  ', FROM, TO, 'CSeq: 4 OPTIONS'], expected: 400 },
  { name: '4475 3.1.2.13 a question mark without brackets', lines: registers('Contact: sip:a@example.com?Route=%3Csip:b.example.com%3E'), expected: 400 },
  { name: '4475 3.1.2.15 a comma in a name without quotes', lines: registers('Contact: Bell, Alexander <sip:a@example.com>'), expected: 400 },
  { name: '4475 3.1.2.16 another version', lines: ['OPTIONS sip:a@{host} SIP/7.0', FROM, TO, 'CSeq: 4 OPTIONS'], expected: 505 },
  { name: '4475 3.1.2.17 another method in CSeq', lines: [options, FROM, TO, 'CSeq: 8 INVITE'], expected: 400 },
  { name: '4475 3.1.2.18 an unknown method, and another in CSeq', lines: ['NEWMETHOD sip:a@{host} SIP/2.0', FROM, TO, 'CSeq: 8 INVITE'], expected: 400 },
  { name: '4475 3.1.2.19 a status of ten digits', lines: response('SIP/2.0 4294967301 do not break', 'CSeq: 4 INVITE'), expected: 'dropped' },
  { name: '4475 3.3.1 nothing but the first line and a CSeq', lines: [options, 'CSeq: 4 OPTIONS'], without: ['Via', 'Call-ID'], expected: 'dropped', why: 'nowhere to answer to' },
  { name: '4475 3.3.1 no From', lines: [options, TO, 'CSeq: 4 OPTIONS'], expected: 'dropped', why: 'a response has a From' },
  { name: '4475 3.3.2 a scheme that nobody knows', lines: ['OPTIONS nobody-knows:whom SIP/2.0', FROM, TO, 'CSeq: 4 OPTIONS'], expected: 'taken', why: 'the application says 416 to an INVITE' },
  { name: '4475 3.3.3 a scheme of something else', lines: ['OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0', FROM, TO, 'CSeq: 4 OPTIONS'], expected: 'taken', why: 'likewise' },
  { name: '4475 3.3.5 extensions that nobody has', lines: plain('Require: nothingSupports', 'Proxy-Require: noProxies, supportThis'), expected: 420 },
  { name: '4475 3.3.8 two values where there is one', lines: plain('From: <sip:b@example.com>;tag=2', 'CSeq: 5 OPTIONS', 'Max-Forwards: 5'), expected: 400 },
  { name: '4475 3.3.9 two lengths', lines: plain('Content-Length: 0', 'Content-Length: 5'), body: 'x', expected: 400 },
  { name: '4475 3.3.10 a response to a broadcast address', lines: [...response('SIP/2.0 200 OK', 'CSeq: 4 INVITE'), 'Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bKb'], expected: 'dropped' },
  { name: '5118 4.2 no brackets around an IPv6 address', lines: ['OPTIONS sip:2001:db8::10 SIP/2.0', FROM, TO, 'CSeq: 4 OPTIONS'], expected: 400 },
  { name: '5118 4.10 three colons', lines: ['OPTIONS sip:a@[2001:db8:::192.0.2.1] SIP/2.0', FROM, TO, 'CSeq: 4 OPTIONS'], expected: 'taken', why: 'such a host is looked up by nobody here' },
  { name: 'a NUL in a value', lines: plain('X-Nul: a\0b'), expected: 400 },
  { name: 'a CR alone in a value', lines: plain('X-Cr: a\rX-Tagswitch-Plan: b'), expected: 400 },
  { name: 'an LF alone in a value', lines: plain('X-Lf: a\nX-Tagswitch-Plan: b'), expected: 400 },
  { name: 'a line without a colon', lines: plain('no colon here'), expected: 400 },
  { name: 'a name that is no token', lines: plain('X(odd): 1'), expected: 400 },
  { name: 'a fold before any header',
    lines: [options, ' X-Folded: 1', 'Via: SIP/2.0/UDP {me};rport;branch=z9hG4bKfold', 'Call-ID: {id}', FROM, TO, 'CSeq: 4 OPTIONS'],
    without: ['Via', 'Call-ID'],
    expected: 'dropped', why: 'nothing before it says where to answer' },
  { name: 'more headers than anybody needs', lines: plain(...Array.from({ length: 300 }, () => 'X-Many: 1')), expected: 400 },
  { name: 'a head of 40 KB', lines: plain(`X-Long: ${'a'.repeat(40_000)}`), expected: 513 },
  { name: 'a method in small letters', lines: ['options sip:a@{host} SIP/2.0', FROM, TO, 'CSeq: 4 options'], expected: 501 },
  { name: 'a user of nothing', lines: ['OPTIONS sip:@{host} SIP/2.0', FROM, TO, 'CSeq: 4 OPTIONS'], expected: 400 },
  { name: 'a port beyond the last', lines: ['OPTIONS sip:a@example.com:99999 SIP/2.0', FROM, TO, 'CSeq: 4 OPTIONS'], expected: 400 },
  { name: 'a Route that claims to be of our making', lines: [...plain('Route: <sip:{host};dlg=000000000000000000000000;lr>').filter((line) => line !== TO), `${TO};tag=x`], expected: 403 },
  { name: 'an ACK to nothing', lines: ['ACK sip:a@{host} SIP/2.0', FROM, TO, 'CSeq: 4 ACK'], expected: 'dropped' },
  { name: 'a CANCEL of nothing', lines: ['CANCEL sip:a@{host} SIP/2.0', FROM, TO, 'CSeq: 4 CANCEL'], expected: 481 },
  { name: 'HTTP', lines: ['GET / HTTP/1.1', 'Host: {host}'], without: ['Via', 'Call-ID'], expected: 'dropped' },
]; // prettier-ignore
