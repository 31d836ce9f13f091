// A page that has no HTML of its own to put the snippet into.
import { load, number, subscribe } from 'tagswitch-tag';

const PRINTED = '+1 2025550199';

export async function start(src: string, site: string, endpoint: string, tag?: string): Promise<void> {
  await load({ src, site, endpoint, tag, number: PRINTED });
  const shown = await number(PRINTED);
  document.title = `Call ${shown.number ?? shown.printed}`;
}

export function follow(element: Element): () => void {
  return subscribe(PRINTED, ({ state, number, level }) => {
    element.textContent = state === 'printed' ? 'the printed number' : `${number} (${level})`;
  });
}
