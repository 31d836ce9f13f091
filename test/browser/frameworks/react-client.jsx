// Made in the browser alone, by an effect that writes the printed number over and over.
import { useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './react-app.jsx';

function Restless() {
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setTurn((before) => before + 1), 20);
    return () => clearInterval(timer);
  }, []);
  return (
    <>
      <p id="turn" data-turn={turn}>{`Turn ${turn}: (202) 555-0199`}</p>
      <p id="again" key={turn}>
        again <b>(202) 555-0199</b>
      </p>
    </>
  );
}

createRoot(document.querySelector('#root')).render(
  <>
    <App />
    <Restless />
  </>,
);
