// The number as a part of what React renders.
import { useState } from 'react';
import { TrackedNumber, useTrackedNumber, type Given } from 'tagswitch-tag/react';

const PRINTED = { number: '+1 2025550199', display: '(202) 555-0199' };

export function Contact({ given }: { given?: Given | undefined }) {
  const [calls, setCalls] = useState(0);
  const { display, href, state } = useTrackedNumber({ ...PRINTED, given });
  return (
    <section>
      <TrackedNumber className="phone" {...PRINTED} given={given} />
      <button data-state={state} onClick={() => setCalls(calls + 1)}>
        Asked {calls} times
      </button>
      <a className="again" href={href} data-tagswitch-off="">
        or here: {display}
      </a>
    </section>
  );
}
