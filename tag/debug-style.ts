/** The overlay's looks. A constructed sheet in a closed-off root: no policy of a page forbids it, no style of a page gets in. */
export const style = `
:host { all: initial; }
* { box-sizing: border-box; }
.panel {
  --ground: #fff; --ink: #1c2321; --soft: #56615d; --line: #dedcd3; --accent: #0b6e5f; --wash: #f3f2ec;
  position: fixed; right: 12px; bottom: 12px; z-index: 2147483647;
  display: flex; flex-direction: column;
  width: min(30rem, calc(100vw - 24px)); max-height: min(34rem, calc(100vh - 24px));
  border: 1px solid var(--line); border-radius: 12px; background: var(--ground); color: var(--ink);
  box-shadow: 0 8px 30px rgb(0 0 0 / 0.25);
  font: 13px/1.45 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif;
  text-align: left; color-scheme: light dark; overflow: hidden;
}
@media (prefers-color-scheme: dark) {
  .panel { --ground: #1d2321; --ink: #e9eeec; --soft: #a3afab; --line: #333c39; --accent: #5ecbb6; --wash: #262e2b; }
}
@media print { :host { display: none !important; } }
header { display: flex; gap: 4px; align-items: center; padding: 6px 8px 6px 12px; background: var(--wash); cursor: move; touch-action: none; user-select: none; }
h2, h3 { margin: 0; font-size: inherit; font-weight: 650; }
h2 { flex: 1; }
summary { font-weight: 650; cursor: pointer; }
details { margin-top: 6px; }
h3 { margin-top: 12px; padding-bottom: 2px; }
[role=status] { margin: 0; color: var(--soft); }
button { min-width: 26px; min-height: 26px; border: 0; border-radius: 7px; background: none; color: inherit; font: inherit; cursor: pointer; }
button:hover { background: var(--line); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
.body { padding: 8px 12px 12px; overflow: auto; }
dl { display: grid; grid-template-columns: auto 1fr; gap: 1px 12px; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
ul { margin: 0; padding: 0; list-style: none; }
li + li { border-top: 1px solid var(--line); }
li button { display: block; width: 100%; padding: 5px 6px; border-radius: 0; text-align: left; }
li span { display: block; overflow-wrap: anywhere; }
.kind { color: var(--accent); font-weight: 600; }
.left .kind { color: var(--soft); }
.where { color: var(--soft); font: 12px/1.4 ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace; }
.none { margin: 2px 0; color: var(--soft); }
.mark { position: fixed; z-index: 2147483646; border: 3px solid #d9480f; border-radius: 4px; pointer-events: none; }
[hidden] { display: none !important; }
`;
