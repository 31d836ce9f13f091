/** Where a visitor came from, as reports name it. */
export interface Contact {
  readonly source?: string | undefined;
  readonly medium?: string | undefined;
  readonly campaign?: string | undefined;
  readonly keyword?: string | undefined;
  readonly clickIds?: Readonly<Record<string, string>> | undefined;
}

/** What a page tells of how it was reached. */
export interface Arrival extends Contact {
  /** The parameters of the address that tell of a campaign. */
  readonly query?: Readonly<Record<string, string>> | undefined;
  readonly referrer?: string | undefined;
  readonly landingPage?: string | undefined;
}

/** Which advertiser gives which click id. A click is paid for; Facebook marks every link that leaves it. */
const CLICKS: readonly (readonly [name: string, source: string, medium: string])[] = [
  ['gclid', 'google', 'cpc'],
  ['gbraid', 'google', 'cpc'],
  ['wbraid', 'google', 'cpc'],
  ['dclid', 'google', 'cpc'],
  ['msclkid', 'bing', 'cpc'],
  ['ttclid', 'tiktok', 'cpc'],
  ['twclid', 'x', 'cpc'],
  ['li_fat_id', 'linkedin', 'cpc'],
  ['yclid', 'yandex', 'cpc'],
  ['fbclid', 'facebook', 'social'],
];
const IS_CLICK = /clk?id$|^(?:[gw]braid|li_fat_id)$/;

/** Hosts that send visitors on, by what they are. The first that fits. */
const HOSTS: readonly (readonly [host: RegExp, medium: string, source?: string])[] = [
  [/^(?:mail\.google|mail\.yahoo|outlook\.(?:live|office)|mail\.proton)\./, 'email'],
  [
    /(?:^|\.)google\.[a-z]{2,3}(?:\.[a-z]{2})?$|^com\.google\.android\.googlequicksearchbox$/,
    'organic',
    'google',
  ],
  [/(?:^|\.)bing\.com$/, 'organic', 'bing'],
  [/(?:^|\.)(?:search\.)?yahoo\.(?:com|co\.[a-z]{2}|[a-z]{2})$/, 'organic', 'yahoo'],
  [/(?:^|\.)duckduckgo\.com$/, 'organic', 'duckduckgo'],
  [/(?:^|\.)(?:yandex\.[a-z.]{2,6}|ya\.ru)$/, 'organic', 'yandex'],
  [/(?:^|\.)baidu\.com$/, 'organic', 'baidu'],
  [/(?:^|\.)ecosia\.org$/, 'organic', 'ecosia'],
  [/(?:^|\.)qwant\.com$/, 'organic', 'qwant'],
  [/(?:^|\.)startpage\.com$/, 'organic', 'startpage'],
  [/^search\.brave\.com$/, 'organic', 'brave'],
  [/(?:^|\.)naver\.com$/, 'organic', 'naver'],
  [/(?:^|\.)seznam\.cz$/, 'organic', 'seznam'],
  [/(?:^|\.)sogou\.com$/, 'organic', 'sogou'],
  [/(?:^|\.)ask\.com$/, 'organic', 'ask'],
  [/(?:^|\.)aol\.[a-z.]{2,6}$/, 'organic', 'aol'],
  [/(?:^|\.)(?:facebook\.com|fb\.(?:com|me))$|^com\.facebook\.katana$/, 'social', 'facebook'],
  [/(?:^|\.)instagram\.com$/, 'social', 'instagram'],
  [/^(?:t\.co|(?:.+\.)?(?:twitter|x)\.com)$/, 'social', 'x'],
  [/(?:^|\.)(?:linkedin\.com|lnkd\.in)$/, 'social', 'linkedin'],
  [/(?:^|\.)pinterest\.[a-z.]{2,6}$/, 'social', 'pinterest'],
  [/(?:^|\.)reddit\.com$/, 'social', 'reddit'],
  [/(?:^|\.)(?:youtube\.com|youtu\.be)$/, 'social', 'youtube'],
  [/(?:^|\.)tiktok\.com$/, 'social', 'tiktok'],
  [/(?:^|\.)snapchat\.com$/, 'social', 'snapchat'],
  [/(?:^|\.)threads\.(?:net|com)$/, 'social', 'threads'],
  [/(?:^|\.)bsky\.app$/, 'social', 'bluesky'],
  [/(?:^|\.)(?:whatsapp\.com|wa\.me)$/, 'social', 'whatsapp'],
  [/(?:^|\.)(?:t\.me|telegram\.org)$/, 'social', 'telegram'],
  [/(?:^|\.)vk\.(?:com|ru)$/, 'social', 'vk'],
  [/(?:^|\.)nextdoor\.[a-z.]{2,6}$/, 'social', 'nextdoor'],
];

/**
 * Source, medium, campaign, keyword and click ids of a page view: what its address says of a campaign, else whose click id
 * is in it, else who sent the visitor (`organic` of a search engine, `social`, `email`, else `referral` and the host), else
 * `direct`. What the page names itself stays as it is. Without an address there is nothing to tell.
 * @param ownOrigins of the site: who comes from there was sent by nobody
 */
export function contactOf(arrival: Arrival, ownOrigins: readonly string[]): Contact {
  const { query = {}, landingPage, referrer } = arrival;
  const { utm_source, utm_medium, utm_campaign, utm_term } = query;
  const clickIds = {
    ...Object.fromEntries(Object.entries(query).filter(([name]) => IS_CLICK.test(name))),
    ...arrival.clickIds,
  };
  const named = {
    source: arrival.source ?? utm_source,
    medium: arrival.medium ?? utm_medium,
    campaign: arrival.campaign ?? utm_campaign,
    keyword: arrival.keyword ?? utm_term,
    clickIds,
  };
  if (named.source !== undefined || (landingPage === undefined && referrer === undefined)) return named;
  const [source, medium] = sender(clickIds, referrer, ownOrigins);
  return { ...named, source, medium: named.medium ?? medium };
}

function sender(
  clickIds: Readonly<Record<string, string>>,
  referrer: string | undefined,
  ownOrigins: readonly string[],
): readonly [source: string, medium: string] {
  const click = CLICKS.find(([name]) => (clickIds[name] ?? '') !== '');
  if (click !== undefined) return [click[1], click[2]];
  const url = referrer === undefined || !URL.canParse(referrer) ? undefined : new URL(referrer);
  if (url === undefined || url.hostname === '' || ownOrigins.includes(url.origin)) return ['direct', 'none'];
  const host = url.hostname.toLowerCase();
  const known = HOSTS.find(([pattern]) => pattern.test(host));
  const plain = host.replace(/^www\./, '');
  return known === undefined ? [plain, 'referral'] : [known[2] ?? plain, known[1]];
}
