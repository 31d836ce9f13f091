import { Head, Html, Main, NextScript } from 'next/document';

export default function Document() {
  return (
    <Html lang="en">
      <Head>
        <link rel="icon" href="data:," />
        <script async {...JSON.parse(process.env.TAG ?? '{}')} />
      </Head>
      <body>
        <Main />
        <NextScript />
      </body>
    </Html>
  );
}
