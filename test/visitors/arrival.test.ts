import t from 'tap';
import { contactOf } from '../../src/visitors/arrival.js';

const OWN = ['https://www.example.com', 'https://shop.example.com'];
const LANDING = 'https://www.example.com/landing';

/** Source and medium of a page view that was reached so. */
function from(arrival: Parameters<typeof contactOf>[0]): string {
  const { source, medium } = contactOf({ landingPage: LANDING, ...arrival }, OWN);
  return `${String(source)} / ${String(medium)}`;
}

t.test('who sent a visitor, by the referrer', async (t) => {
  for (const [referrer, expected] of [
    ['', 'direct / none'],
    ['https://www.google.com/', 'google / organic'],
    ['https://www.google.co.uk/search', 'google / organic'],
    ['https://google.de/', 'google / organic'],
    ['android-app://com.google.android.googlequicksearchbox/', 'google / organic'],
    ['https://mail.google.com/', 'mail.google.com / email'],
    ['https://outlook.live.com/mail/', 'outlook.live.com / email'],
    ['https://www.bing.com/search', 'bing / organic'],
    ['https://search.yahoo.com/search', 'yahoo / organic'],
    ['https://uk.search.yahoo.com/', 'yahoo / organic'],
    ['https://duckduckgo.com/', 'duckduckgo / organic'],
    ['https://yandex.com.tr/', 'yandex / organic'],
    ['https://search.brave.com/search', 'brave / organic'],
    ['https://l.facebook.com/l.php', 'facebook / social'],
    ['https://m.facebook.com/', 'facebook / social'],
    ['https://t.co/abc', 'x / social'],
    ['https://lnkd.in/abc', 'linkedin / social'],
    ['https://www.youtube.com/watch', 'youtube / social'],
    ['https://news.example.org/story', 'news.example.org / referral'],
    ['https://www.example.org/', 'example.org / referral'],
    ['https://notgoogle.com/', 'notgoogle.com / referral'],
    ['https://google.com.evil.example/', 'google.com.evil.example / referral'],
    ['https://at.co/', 'at.co / referral'],
    ['https://www.example.com/before', 'direct / none'],
    ['https://shop.example.com/', 'direct / none'],
    ['no address', 'direct / none'],
  ] as const)
    t.equal(from({ referrer }), expected, referrer);
});

t.test('what the address says goes before the referrer, and what the page names before both', async (t) => {
  const referrer = 'https://www.google.com/';
  t.equal(from({ referrer, query: { utm_source: 'news', utm_medium: 'email' } }), 'news / email');
  t.equal(from({ referrer, query: { utm_source: 'news' } }), 'news / undefined');
  t.equal(from({ referrer, query: { gclid: 'g' } }), 'google / cpc');
  t.equal(from({ query: { utm_medium: 'display', msclkid: 'm' } }), 'bing / display');
  t.equal(from({ query: { fbclid: 'f' } }), 'facebook / social');
  t.equal(from({ query: { fbclid: 'f', ttclid: 't' } }), 'tiktok / cpc', 'a click that was paid for first');
  t.equal(from({ query: { gclid: '' } }), 'direct / none', 'an empty one is none');
  t.equal(from({ source: 'mine', query: { utm_source: 'news' } }), 'mine / undefined');
  t.strictSame(
    contactOf(
      { landingPage: LANDING, query: { utm_source: 'a', utm_campaign: 'b', utm_term: 'c', gclid: 'g' } },
      [],
    ),
    { source: 'a', medium: undefined, campaign: 'b', keyword: 'c', clickIds: { gclid: 'g' } },
  );
  t.strictSame(
    contactOf({ clickIds: { gclid: 'g' } }, []),
    {
      source: undefined,
      medium: undefined,
      campaign: undefined,
      keyword: undefined,
      clickIds: { gclid: 'g' },
    },
    'without an address nothing is made up',
  );
});
