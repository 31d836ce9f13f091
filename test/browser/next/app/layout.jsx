export const dynamic = 'force-dynamic';

export default function Layout({ children }) {
  return (
    <html lang="en">
      <head>
        <link rel="icon" href="data:," />
        <script async {...JSON.parse(process.env.TAG ?? '{}')} />
      </head>
      <body>{children}</body>
    </html>
  );
}
