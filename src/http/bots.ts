/**
 * Crawlers, previews and monitors that say so themselves. They get the printed number: a number shown to them would be
 * missing for a person. `Cubot` is a make of telephones.
 */
const BOT =
  /(?<!cu)bot\b|crawl|spider|slurp|mediapartners|adsbot|bingpreview|facebookexternalhit|embedly|whatsapp\/|google-inspectiontool|googleother|lighthouse|pagespeed|pingdom|uptimerobot|statuscake|gtmetrix|yandeximages|ia_archiver|archive\.org|feedfetcher|bytespider|petalsearch|semrush|ahrefs|dotbot|screaming frog/i;

/** @param userAgent the header `User-Agent` */
export function isKnownBot(userAgent: string | undefined): boolean {
  return userAgent !== undefined && BOT.test(userAgent);
}
