/** Pages to try the tag on, each with what it shows. */

export interface Example {
  readonly id: string;
  readonly name: string;
  /** What to look at. */
  readonly says: string;
  readonly html: string;
  readonly settings?: Readonly<Record<string, string>>;
}

/** A picture of a number, as text of SVG; what stands between `%3E` and `%3C` is the number. */
const picture = (text: string) =>
  `data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='260' height='44'%3E%3Crect width='260' height='44' rx='8' fill='%230b6e5f'/%3E%3Ctext x='130' y='29' fill='white' font-family='sans-serif' font-size='20' text-anchor='middle'%3E${text}%3C/text%3E%3C/svg%3E`;
const LETTERS = ['', '', 'A', 'D', 'J', 'K', 'M', 'P', 'T', 'W'];

/** @param number the printed number, E.164; one of North America is written in all the ways that it has there */
export function examplesFor(number: string): readonly Example[] {
  const [, code = '1', a = '', b = '', c = ''] = /^\+(1|\d\d)(\d{3})(\d{3})(\d*)$/.exec(number) ?? [];
  const display = `(${a}) ${b}-${c}`;
  const vanity = (digits: string) => [...digits].map((digit) => LETTERS[Number(digit)] || digit).join('');
  return [
    {
      id: 'forms',
      name: 'Written forms',
      says: 'One number, written as people write it. Each keeps its form; other digits stay as they are.',
      html: `<h1>Harbour Plumbing</h1>
<p>Call ${display}, ${a}-${b}-${c} or ${a}.${b}.${c}.</p>
<p>From abroad: +${code} ${a} ${b} ${c}, 00${code} ${a} ${b} ${c}.</p>
<p><a href="tel:${number}" title="Rings ${display}">Call now: <b>${a}</b>-${b}-${c}</a></p>
<p>Monday to Friday from 8 to 18, and at night for whoever stands in water.</p>
<p>Fax: (${a}) ${b}-0199. Order 4711${a}${b}${c}99.</p>`,
    },
    {
      id: 'vanity',
      name: 'Vanity letters',
      says: 'Letters of a keypad stand for digits. The number that is shown in their place is in digits.',
      html: `<h1>Dial ${code}-${a}-${vanity(b)}-${vanity(c)}</h1>
<p>That is ${display}, for telephones without letters.</p>`,
    },
    {
      id: 'late',
      name: 'Text that comes late',
      says: 'After a second the page adds text, as a chat or a framework does. It is looked at when it comes.',
      html: `<h1>Harbour Plumbing</h1>
<p>In the page from the start: ${display}</p>
<template data-after="1000">
  <p id="late">Added a second later: <a href="tel:${number}">${display}</a></p>
</template>`,
    },
    {
      id: 'route',
      name: 'Another view without a load',
      says: 'The buttons change the address by history.pushState and the page with it, as an app of one page does. With a new campaign in it, it is another visit, with another number.',
      html: `<nav>
  <button data-route="?view=home">Home</button>
  <button data-route="?view=contact">Contact</button>
  <button data-route="?view=contact&amp;utm_source=newsletter">Contact, from a newsletter</button>
</nav>
<main data-view></main>
<template id="view-home"><h1>Home</h1><p>Call ${display}</p></template>
<template id="view-contact"><h1>Contact</h1><p>Our line: <a href="tel:${number}">${a}-${b}-${c}</a></p></template>`,
    },
    {
      id: 'shadow',
      name: 'Shadow root',
      says: 'Nothing can see from outside what a component has in its shadow root. The first one was handed over by tagswitch.swap(root), the second was forgotten.',
      html: `<h1>Components</h1>
<div id="handed"><template data-shadow><p>Handed over: ${display}</p></template></div>
<div id="forgotten"><template data-shadow="forgotten"><p>Forgotten: ${display}</p></template></div>`,
    },
    {
      id: 'frame',
      name: 'Frame of the same site',
      says: 'A document of the same origin in a frame is looked through with the page.',
      html: `<h1>Two documents</h1>
<p>The page: ${display}</p>
<iframe title="A document in a frame" srcdoc="&lt;p&gt;In the frame: ${display}&lt;/p&gt;"></iframe>`,
    },
    {
      id: 'off',
      name: 'Opted out, and look-alikes',
      says: 'What is marked stays, and so does what only looks like the number. Switch the overlay on: it says why for each.',
      settings: { overlay: '1' },
      html: `<h1>Our number: ${display}</h1>
<p data-tagswitch-off>Suppliers, please: ${display}</p>
<p contenteditable>You may type here: ${display}</p>
<p><label>Message<br><textarea rows="2">Call me back at ${display}</textarea></label></p>
<p>Without area code: ${b}-${c}. Another line: (${a}) ${b}-0199.</p>
<p>Customer 88${a}${b}${c}, ticket #${a}${b}${c}, &euro; ${a}${b}${c}.</p>
<p>Another country: +44 1632 960${c.slice(1)}. Since 2019-05-21.</p>`,
    },
    {
      id: 'picture',
      name: 'Picture, by a rule',
      says: 'A picture is no text. A rule says which attribute of which element shows the number, and how: [selector, attribute, template] with {number} or {display} in it.',
      settings: { rules: JSON.stringify([['#hotline', 'src', picture('{display}')]]) },
      html: `<h1>Harbour Plumbing</h1>
<img id="hotline" alt="Hotline ${display}"
  src="${picture(display)}">`,
    },
    {
      id: 'print',
      name: 'On paper',
      says: 'Paper outlives a visit: a page that is printed has the printed number. Press \u201cAs on paper\u201d.',
      html: `<h1>Voucher</h1>
<p>Questions? Call ${display}.</p>
<p class="ticket">Valid until the end of the season</p>`,
    },
    {
      id: 'consent',
      name: 'Without consent',
      says: 'Nothing is kept in the browser, and there is no session: the number is that of all who came the same way. Change the source of the visit, and it is another one.',
      settings: { consent: 'denied', overlay: '1', utm_source: 'ads' },
      html: `<h1>Harbour Plumbing</h1>
<p>Call ${display}</p>`,
    },
  ];
}
