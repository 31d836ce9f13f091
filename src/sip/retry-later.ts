/** The headers of a 503 that is about now alone: a few seconds, never the same for all, or they would all come at once. */
export function retryLater(): { readonly 'Retry-After': string } {
  return { 'Retry-After': String(1 + Math.floor(Math.random() * 5)) };
}
