/**
 * Pieces of pages as sites write them, and what they are while another number is shown. Families that share a page, by the
 * number that is printed in it. A fixture without `shows` stays as it is: no digit of it may change.
 */
export interface Fixture {
  readonly name: string;
  readonly html: string;
  readonly shows?: string;
}

export interface Family {
  readonly name: string;
  /** E.164. */
  readonly printed: string;
  readonly number: string;
  readonly rules?: readonly (readonly [selector: string, attribute: string, template: string])[];
  readonly fixtures: readonly Fixture[];
}

const fixture = (name: string, html: string, shows?: string): Fixture =>
  shows === undefined ? { name, html } : { name, html, shows };
/** A way of writing it, in a sentence. */
const form = (name: string, written: string, shown: string) =>
  fixture(name, `<p>Call ${written} today</p>`, `<p>Call ${shown} today</p>`);

const US = { printed: '+12025550199', number: '+12025550100' };
const UK = { printed: '+441632960199', number: '+441632960100' };

const american: Family = {
  name: 'american forms',
  ...US,
  fixtures: [
    form('brackets', '(202) 555-0199', '(202) 555-0100'),
    form('brackets without a blank', '(202)555-0199', '(202)555-0100'),
    form('dashes', '202-555-0199', '202-555-0100'),
    form('dots', '202.555.0199', '202.555.0100'),
    form('blanks', '202 555 0199', '202 555 0100'),
    form('slash', '202/555-0199', '202/555-0100'),
    form('digits alone', '2025550199', '2025550100'),
    form('+1', '+1 202-555-0199', '+1 202-555-0100'),
    form('+1 in brackets', '(+1) 202 555 0199', '(+1) 202 555 0100'),
    form('+1 and one dot', '+1.202.5550199', '+1.202.5550100'),
    form('+1 without a dot of its own', '+1202555.0199', '+1202555.0100'),
    form('1-', '1-202-555-0199', '1-202-555-0100'),
    form('1 and brackets', '1 (202) 555-0199', '1 (202) 555-0100'),
    form('001', '001 202 555 0199', '001 202 555 0100'),
    form('011', '011 1 202 555 0199', '011 1 202 555 0100'),
    form('E.164', '+12025550199', '+12025550100'),
    form('in brackets as a whole', '(202-555-0199)', '(202-555-0100)'),
    form('non-breaking blanks', '202&nbsp;555&nbsp;0199', '202&nbsp;555&nbsp;0100'),
    form('narrow blanks', '202&#8239;555&#8239;0199', '202&#8239;555&#8239;0100'),
    form('non-breaking hyphens', '202&#8209;555&#8209;0199', '202&#8209;555&#8209;0100'),
    form('en dashes', '202 &ndash; 555 &ndash; 0199', '202 &ndash; 555 &ndash; 0100'),
    form('middle dots', '202&middot;555&middot;0199', '202&middot;555&middot;0100'),
    form('bullets', '202 &bull; 555 &bull; 0199', '202 &bull; 555 &bull; 0100'),
    form('soft hyphens', '202&shy;555&shy;0199', '202&shy;555&shy;0100'),
    form('zero-width blanks', '202&#8203;555&#8203;0199', '202&#8203;555&#8203;0100'),
    form('marks of direction', '&#8234;+1 202 555 0199&#8236;', '&#8234;+1 202 555 0100&#8236;'),
    form('lines of the source', '(202)\n                  555-0199', '(202)\n                  555-0100'),
    fixture(
      'after what begins a link too',
      '<p title="TEL: 202-555-0199">Tel: (202) 555-0199</p><p>tel:202.555.0199</p>',
      '<p title="TEL: 202-555-0100">Tel: (202) 555-0100</p><p>tel:202.555.0100</p>',
    ),
    form('x12', '202-555-0199 x12', '202-555-0100 x12'),
    form('x12 without a blank', '202-555-0199x12', '202-555-0100x12'),
    form('ext.', '202-555-0199 ext. 12', '202-555-0100 ext. 12'),
    form('after a label', 'Tel.202-555-0199, 24/7: 202-555-0199', 'Tel.202-555-0100, 24/7: 202-555-0100'),
    form('after a year', 'since 1999 202-555-0199.', 'since 1999 202-555-0100.'),
    form('twice', '202-555-0199 or 202.555.0199', '202-555-0100 or 202.555.0100'),
    form('letters', '1-202-JKL-01WX', '1-202-555-0100'),
    form('small letters', '1-202-jkl-0199', '1-202-555-0100'),
    form('a word that is longer than the number stays', '202-555-01XYZS', '202-555-01XYZS'),
  ],
};

const british: Family = {
  name: 'british forms',
  ...UK,
  fixtures: [
    form('0', '01632 960199', '01632 960100'),
    form('0 in brackets with the area', '(01632) 960 199', '(01632) 960 100'),
    form('dashes', '01632-960-199', '01632-960-100'),
    form('(0)', '+44 (0)1632 960199', '+44 (0)1632 960100'),
    form('[0]', '+44 [0] 1632 960199', '+44 [0] 1632 960100'),
    form('+44', '+44 1632 960199', '+44 1632 960100'),
    form('+44 in brackets', '(+44) 1632 960199', '(+44) 1632 960100'),
    form('0044', '0044 1632 960199', '0044 1632 960100'),
    form('011 44', '011 44 1632 960199', '011 44 1632 960100'),
    form('0011 44', '0011 44 1632 960199', '0011 44 1632 960100'),
    form('other groups', '016 3296 0199', '016 3296 0100'),
    fixture(
      'a link with 0',
      '<a href="tel:01632960199">01632 960199</a>',
      '<a href="tel:+441632960100">01632 960100</a>',
    ),
    fixture('of another country', '<p>+33 1632 960199, +1 1632 960199, 0049 1632960199</p>'),
    fixture('a moment', '<p>1632960199123, 1632960199.5, 16:32:96, 1,632,960,199</p>'),
  ],
};

const others: readonly Family[] = [
  {
    name: 'french forms',
    printed: '+33199000199',
    number: '+33199000100',
    fixtures: [
      form('pairs', '01 99 00 01 99', '01 99 00 01 00'),
      form('pairs with dots', '01.99.00.01.99', '01.99.00.01.00'),
      form('+33', '+33 1 99 00 01 99', '+33 1 99 00 01 00'),
      form('+33 (0)', '+33 (0)1 99 00 01 99', '+33 (0)1 99 00 01 00'),
      form('0033', '0033 1.99.00.01.99', '0033 1.99.00.01.00'),
      fixture('money', '<p>€ 199 000 199, $199.000.199, 199.000,199, 199,000,199</p>'),
    ],
  },
  {
    name: 'german forms',
    printed: '+493023125199',
    number: '+493023125100',
    fixtures: [
      form('slash', '030/23125199', '030/23125100'),
      form('direct dialling', '030 23125-199', '030 23125-100'),
      form('slash with blanks', '+49 (0)30 / 23 12 51 99', '+49 (0)30 / 23 12 51 00'),
      form('dashes with blanks', '030 – 23 125 – 199', '030 – 23 125 – 100'),
      form('brackets', '(030) 23125 199', '(030) 23125 100'),
      fixture('the exchange of all', '<p>030 23125-0, 030 23125-1990, 030 23125-111</p>'),
    ],
  },
  {
    name: 'spanish forms',
    printed: '+34990000199',
    number: '+34990000100',
    fixtures: [
      form('threes', '990 000 199', '990 000 100'),
      form('pairs', '990 00 01 99', '990 00 01 00'),
      form('dots', '990.000.199', '990.000.100'),
      form('(+34)', '(+34) 990 000 199', '(+34) 990 000 100'),
    ],
  },
  {
    name: 'australian forms',
    printed: '+61255500199',
    number: '+61255500100',
    fixtures: [
      form('brackets', '(02) 5550 0199', '(02) 5550 0100'),
      form('+61', '+61 2 5550 0199', '+61 2 5550 0100'),
      form('+61 (0)', '+61 (0)2 5550 0199', '+61 (0)2 5550 0100'),
    ],
  },
  {
    name: 'italian forms',
    printed: '+390600000199',
    number: '+390600000100',
    fixtures: [
      form('its 0 is of the number', '06 0000 0199', '06 0000 0100'),
      form('+39', '+39 06 0000 0199', '+39 06 0000 0100'),
      form('slash', '06/00000199', '06/00000100'),
      form('dots', '+39.06.00000199', '+39.06.00000100'),
      fixture('without its 0', '<p>6 0000 0199, +39 6 0000 0199</p>'),
    ],
  },
];

const markup: Family = {
  name: 'markup',
  ...US,
  fixtures: [
    fixture(
      'spread over inline elements',
      '<p>Call <b>(202)</b> <span>555</span>-<i>0199</i> now</p>',
      '<p>Call <b>(202)</b> <span>555</span>-<i>0100</i> now</p>',
    ),
    fixture('spread within its last four digits, by which it is known', '<p><b>202-555-01</b><i>99</i></p>'),
    fixture(
      'spread over lines of the source',
      `<a href="tel:2025550199">
        <span>202</span>
        <span>555</span>
        <span>0199</span>
      </a>`,
      `<a href="tel:+12025550100">
        <span>202</span>
        <span>555</span>
        <span>0100</span>
      </a>`,
    ),
    fixture(
      'a link that begins with an icon',
      '<a href="tel:202-555-0199"><svg width="9" height="9"></svg> <span class="d">202-555-0199</span></a>',
      '<a href="tel:+12025550100"><svg width="9" height="9"></svg> <span class="d">202-555-0100</span></a>',
    ),
    fixture(
      'a button',
      '<button type="button" aria-label="Call 202-555-0199">Call 202-555-0199</button>',
      '<button type="button" aria-label="Call 202-555-0100">Call 202-555-0100</button>',
    ),
    fixture('a list', '<ul><li>202-555-0199</li><li>x</li></ul>', '<ul><li>202-555-0100</li><li>x</li></ul>'),
    fixture(
      'a table',
      '<table><tbody><tr><td>Call</td><td>202.555.0199</td></tr></tbody></table>',
      '<table><tbody><tr><td>Call</td><td>202.555.0100</td></tr></tbody></table>',
    ),
    fixture(
      'digits in elements of their own',
      '<p><b>202</b><i>-</i><b>5</b><b>5</b><b>5</b><i>-</i><b>0199</b></p>',
      '<p><b>202</b><i>-</i><b>5</b><b>5</b><b>5</b><i>-</i><b>0100</b></p>',
    ),
    fixture(
      'pieces and comments in one element',
      '<p>Call <!-- --><b>202</b><!-- -->-<!-- --><b>555</b><!-- -->-<!-- --><b>0199</b><!-- --> now</p>',
      '<p>Call <!-- --><b>202</b><!-- -->-<!-- --><b>555</b><!-- -->-<!-- --><b>0100</b><!-- --> now</p>',
    ),
    fixture(
      'header and footer',
      '<header>(202) 555-0199</header><footer>© 2026 · (202) 555-0199 · Imprint</footer>',
      '<header>(202) 555-0100</header><footer>© 2026 · (202) 555-0100 · Imprint</footer>',
    ),
    fixture(
      'text of an SVG',
      '<svg width="200" height="20"><title>202-555-0199</title><text y="15">202-555-0199</text></svg>',
      '<svg width="200" height="20"><title>202-555-0100</title><text y="15">202-555-0100</text></svg>',
    ),
    fixture(
      'title and label around the number',
      '<div aria-label="Call 202-555-0199"><p title="202.555.0199">Call <b>202-555-0199</b></p></div>',
      '<div aria-label="Call 202-555-0100"><p title="202.555.0100">Call <b>202-555-0100</b></p></div>',
    ),
    fixture(
      'an icon and an image that call',
      '<a href="tel:+12025550199" aria-label="Call 202-555-0199"><svg width="9" height="9"></svg></a> <a href="tel:+12025550199"><img alt="Call 202-555-0199"></a>',
      '<a href="tel:+12025550100" aria-label="Call 202-555-0100"><svg width="9" height="9"></svg></a> <a href="tel:+12025550100"><img alt="Call 202-555-0100"></a>',
    ),
    fixture(
      'a part of an image that calls',
      '<map name="map"><area href="tel:+1-202-555-0199" alt="Call 202-555-0199"></map>',
      '<map name="map"><area href="tel:+12025550100" alt="Call 202-555-0100"></map>',
    ),
    fixture(
      'a link in a drawing',
      '<svg width="99" height="9"><a href="tel:+1-202-555-0199"><text y="9">202-555-0199</text></a></svg>',
      '<svg width="99" height="9"><a href="tel:+12025550100"><text y="9">202-555-0100</text></a></svg>',
    ),
    fixture(
      'attributes with no number beside them',
      '<p title="202-555-0199"><img alt="Call 202-555-0199"><input placeholder="202-555-0199"></p>',
    ),
    fixture(
      'a comment and a hidden branch',
      '<!-- 202-555-0199 --><p hidden>202-555-0199</p>',
      '<!-- 202-555-0199 --><p hidden>202-555-0100</p>',
    ),
    fixture(
      'a style that the page gave',
      '<p style="visibility: hidden; color: red">202-555-0199</p><p style="color:red">202-555-0199</p>',
      '<p style="visibility: hidden; color: red">202-555-0100</p><p style="color:red">202-555-0100</p>',
    ),
    ...[
      ['E.164', 'tel:+12025550199', 'tel:+12025550100'],
      ['with dashes', 'tel:+1-202-555-0199', 'tel:+12025550100'],
      ['with blanks', 'tel: (202) 555 0199', 'tel: +12025550100'],
      ['national', 'tel:2025550199', 'tel:+12025550100'],
      ['in capitals', 'TEL:1.202.555.0199', 'TEL:+12025550100'],
      ['with slashes', 'tel://2025550199', 'tel://+12025550100'],
      ['with an extension', 'tel:+12025550199;ext=5', 'tel:+12025550100;ext=5'],
      ['with a pause', 'tel:2025550199,,5', 'tel:+12025550100,,5'],
      ['with an escaped plus', 'tel:%2B12025550199', 'tel:+12025550100'],
      ['with escaped brackets', 'tel:%28202%29%20555-0199', 'tel:+12025550100'],
      ['of another number', 'tel:+12025550111', undefined],
      ['of a longer number', 'tel:+120255501991', undefined],
      ['to a message', 'sms:+12025550199', undefined],
      ['to a messenger', 'https://wa.me/12025550199', undefined],
      ['to a page', '/order/2025550199?tel=2025550199', undefined],
    ].map(([name, before, after]) => {
      const link = (href?: string) => `<a href="${href}">Call</a>`;
      return after
        ? fixture(`a link ${name}`, link(before), link(after))
        : fixture(`a link ${name}`, link(before));
    }),
  ],
};

const choice: Family = {
  name: 'opt-in and opt-out',
  ...US,
  fixtures: [
    fixture('a mark', '<b data-tagswitch="">call us</b>', '<b data-tagswitch="">(202) 555-0100</b>'),
    fixture(
      'a mark with the number',
      '<b data-tagswitch="+12025550199">call us</b>',
      '<b data-tagswitch="+12025550199">(202) 555-0100</b>',
    ),
    fixture('a mark with another number', '<b data-tagswitch="+12025550111">call us</b>'),
    fixture(
      'a marked link',
      '<a data-tagswitch="" href="tel:123">ring</a>',
      '<a data-tagswitch="" href="tel:+12025550100">(202) 555-0100</a>',
    ),
    fixture(
      'a mark on more than text',
      '<p data-tagswitch="">Call <b>us</b> at 202-555-0199</p>',
      '<p data-tagswitch="">Call <b>us</b> at 202-555-0100</p>',
    ),
    fixture(
      'off',
      '<div data-tagswitch-off><p title="202-555-0199">202-555-0199 <a href="tel:2025550199">x</a></p></div>',
    ),
    fixture(
      'a marked link to a page',
      '<a data-tagswitch="" href="https://hotel:8443/">call us</a>',
      '<a data-tagswitch="" href="https://hotel:8443/">(202) 555-0100</a>',
    ),
    fixture('off, beside a mark', '<p data-tagswitch-off data-tagswitch="">call us</p>'),
  ],
};

const rules: Family = {
  name: 'rules',
  ...US,
  rules: [
    ['.phone', '', 'Ring {display}!'],
    ['a.chat', 'href', 'https://wa.me/{number}'],
    ['img.number', 'src', 'data:image/gif,{number}'],
    ['[data-phone]', 'data-phone', '{display}'],
    ['img.call', 'alt', 'Call {display}'],
    ['.ask', 'placeholder', 'or call {display}'],
  ],
  fixtures: [
    fixture('text', '<b class="phone">Ring us!</b>', '<b class="phone">Ring (202) 555-0100!</b>'),
    fixture('text with elements', '<b class="phone">Ring <i>us</i>!</b>'),
    fixture(
      'a link',
      '<a class="chat" href="https://wa.me/12025550199">Chat</a>',
      '<a class="chat" href="https://wa.me/+12025550100">Chat</a>',
    ),
    fixture(
      'an image',
      '<img class="number" alt="" src="data:image/gif,0">',
      '<img class="number" alt="" src="data:image/gif,+12025550100">',
    ),
    fixture(
      'what an image says',
      '<img class="call" alt="Call us">',
      '<img class="call" alt="Call (202) 555-0100">',
    ),
    fixture(
      'placeholder of an input and of a text area',
      '<input class="ask" placeholder="202-555-0199"><textarea class="ask" placeholder="202-555-0199"></textarea>',
      '<input class="ask" placeholder="or call (202) 555-0100"><textarea class="ask" placeholder="or call (202) 555-0100"></textarea>',
    ),
    fixture('an attribute', '<i data-phone="x">x</i>', '<i data-phone="(202) 555-0100">x</i>'),
    fixture('what is off', '<b data-tagswitch-off><i class="phone">Ring us!</i></b>'),
  ],
};

/** The same digits, or nearly so, and no number to call. */
const untouched: Family = {
  name: 'no number',
  ...US,
  fixtures: [
    fixture(
      'schema.org',
      '<script type="application/ld+json">{"@type":"Store","telephone":"+1-202-555-0199"}</script>',
    ),
    fixture('microdata', '<span itemscope=""><meta itemprop="telephone" content="+12025550199"></span>'),
    fixture('dates', '<p>2025-11-30, 30.11.2025, 11/30/2025, 2025-11-30T19:59:01, 2025.5.50199</p>'),
    fixture('times', '<p>20:25:55:01:99, 20:25 – 55:01:99</p>'),
    fixture('prices', '<p>$2025550199, $ 2025550199, £2,025,550,199.00, €2.025.550.199, 2,025,550,199 €</p>'),
    fixture('thousands', "<p>2,025,550,199 and 2.025.550.199 and 2 025 550 199 and 2'025'550'199</p>"),
    fixture('decimals', '<p>2025550199.5, 0.2025550199, 2025.550199, 202,5550199, 1.2025550199</p>'),
    fixture('percent', '<p>2025550199% of 20255501.99%</p>'),
    fixture('coordinates', '<p>20.25550199, -73.98; 20°25′55.0199″ N; 20° 25\' 55.0199"</p>'),
    fixture('ISBN-10', '<p>ISBN 2025550199, ISBN: 2-02-555019-9, ISBN-10 2025550199</p>'),
    fixture('ISBN-13', '<p>ISBN 978-2-02-555019-9, 978-2025550199, 9782025550199</p>'),
    fixture('order numbers', '<p>Order #2025550199, order 12025550199123, AB2025550199, 2025550199-1</p>'),
    fixture('credit cards', '<p>4111 2025 5501 9911, 4120255501991111, 4111-2025-5501-99</p>'),
    fixture('IBAN', '<p>DE20 2555 0199 1111 1111 11, GB33BUKB20255501991111</p>'),
    fixture('addresses', '<p>2025550199@example.com, me@2025550199.example, x.example/?id=2025550199</p>'),
    fixture('other numbers', '<p>202-555-0111, (202) 555-0198, 555-0199, 212-555-0199, 1-303-555-0199</p>'),
    fixture(
      'of another country',
      '<p>+44 202 555 0199, +49 (202) 5550199, 0044 2025550199, +52-2025550199</p>',
    ),
    fixture('a longer number', '<p>202-555-01991, 202-555-0199-1234, 9202-555-0199, 202-555-0199th</p>'),
    fixture(
      'edited text',
      '<div contenteditable="">202-555-0199 <a href="tel:2025550199" title="2025550199">x</a></div>',
    ),
    fixture('a text area', '<textarea>202-555-0199</textarea>'),
    fixture('a choice', '<select><option value="2025550199">202-555-0199</option></select>'),
    fixture('a field', '<input value="202-555-0199">'),
    fixture('a script', '<script type="text/plain">call("202-555-0199")</script>'),
    fixture('a style', '<style>b::after { content: "202-555-0199" }</style>'),
    fixture('a template', '<template><p>202-555-0199</p></template>'),
  ],
};

/** The page's number is of another form than the printed one. */
const abroad: Family = {
  name: 'a number of another country',
  printed: US.printed,
  number: UK.number,
  fixtures: [
    form('brackets', '(202) 555-0199', '01632 960100'),
    form('in brackets as a whole', '(202-555-0199)', '(01632 960100)'),
    form('in brackets twice', '((202) 555-0199)', '(01632 960100)'),
    form('in brackets with its code', '(+1 202 555 0199)', '(01632 960100)'),
    form('its code in brackets', '(+1) 202 555 0199', '01632 960100'),
    form('in square brackets', '[202-555-0199]', '[01632 960100]'),
    form('with an extension', '202-555-0199 x12', '01632 960100 x12'),
    fixture(
      'a link',
      '<a href="tel:2025550199;ext=5">202-555-0199</a>',
      '<a href="tel:+441632960100;ext=5">01632 960100</a>',
    ),
    fixture('spread over elements, which it would not fit', '<p><b>(202)</b> <i>555-0199</i></p>'),
    fixture('a mark', '<b data-tagswitch="">call us</b>', '<b data-tagswitch="">01632 960100</b>'),
    fixture(
      'beside its last digits in another text',
      '<p><i>no. 940199</i> <b>202-555-0199</b></p>',
      '<p><i>no. 940199</i> <b>01632 960100</b></p>',
    ),
  ],
};

export const families: readonly Family[] = [
  american,
  british,
  ...others,
  markup,
  choice,
  rules,
  untouched,
  abroad,
];
