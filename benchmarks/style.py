"""The page's style sheet: one column on a phone, two on a desk, light and dark."""

LIGHT = """
--page:#fafaf8; --sheet:#fff; --ink:#1d2126; --quiet:#626b75; --rule:#e4e5e2; --grid:#ebece9;
--accent:#2563a8; --on-accent:#fff; --good:#1b7046; --bad:#b3261e; --unsure:#8a5a00;
--s0:#6b7280; --s1:#2563a8; --s2:#c2570c; --s3:#0f8060; --s4:#8b3fa8; --s5:#b3261e; --s6:#1f8fae;
--s7:#8a7400; --s8:#c93a86; --s9:#4d7c0f; --s10:#5b4fc7; --s11:#7a4a2b;
"""
DARK = """
--page:#131517; --sheet:#1b1e21; --ink:#e6e8ea; --quiet:#9aa3ad; --rule:#2d3236; --grid:#282c30;
--accent:#74aef0; --on-accent:#10151b; --good:#6fcf9a; --bad:#f2938c; --unsure:#e3b75f;
--s0:#a3abb5; --s1:#74aef0; --s2:#f2a15f; --s3:#5fcfab; --s4:#cf94e8; --s5:#f2938c; --s6:#6fcbe3;
--s7:#dcc65a; --s8:#f08cc0; --s9:#a9d46b; --s10:#a79ff5; --s11:#cda285;
"""
RULES = """
* { box-sizing: border-box; }
html { color-scheme: light dark; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 40px 20px 64px; }
h1 { font-size: 26px; line-height: 1.2; margin: 0 0 6px; font-weight: 650; letter-spacing: -.01em; }
h2 { font-size: 18px; margin: 44px 0 4px; font-weight: 620; }
p { margin: 0 0 14px; max-width: 76ch; }
.quiet, .caption { color: var(--quiet); }
.notes { margin: 22px 0 0; padding: 12px 18px; background: var(--sheet);
  border: 1px solid var(--rule); border-left: 3px solid var(--unsure); border-radius: 8px; }
.notes ul { margin: 0; padding-left: 18px; overflow-wrap: anywhere; }
.invalid { margin: 22px 0 0; padding: 12px 18px; border: 2px solid var(--bad); border-radius: 8px;
  color: var(--bad); font-weight: 650; max-width: none; }
.box { overflow-x: auto; background: var(--sheet); border: 1px solid var(--rule);
  border-radius: 10px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 10px 14px; text-align: right; vertical-align: top; white-space: nowrap;
  border-top: 1px solid var(--rule); }
thead th { border-top: 0; font-size: 12.5px; font-weight: 550; color: var(--quiet); }
th:first-child { text-align: left; position: sticky; left: 0; background: var(--sheet); }
tbody th { font-weight: 600; }
small { display: block; font-size: 12px; font-weight: 400; line-height: 1.35; color: var(--quiet); }
.headline td { font-size: 17px; font-weight: 600; }
.headline td.none, .none { font-size: 13px; font-weight: 400; color: var(--quiet);
  font-style: italic; }
.facts th, .facts td { text-align: left; white-space: normal; padding: 8px 14px; }
.facts th { width: 11em; font-weight: 500; color: var(--quiet); }
.facts td { overflow-wrap: anywhere; }
.good { color: var(--good); } .bad { color: var(--bad); } .unsure { color: var(--unsure); }
.pair { display: grid; gap: 20px;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); }
.many { display: grid; gap: 20px;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 300px), 1fr)); }
.pair > *, .many > * { min-width: 0; }
.pair > figure:only-child { max-width: 610px; }
figure { margin: 0; padding: 16px; background: var(--sheet); border: 1px solid var(--rule);
  border-radius: 10px; }
figcaption { margin-bottom: 10px; font-weight: 600; }
figcaption small { margin-top: 2px; }
svg { display: block; width: 100%; height: auto; font-size: 12px; overflow: visible; }
svg text { fill: var(--quiet); font-variant-numeric: tabular-nums; }
svg text.name, svg text.mark { fill: var(--s); font-weight: 600; paint-order: stroke;
  stroke: var(--sheet); stroke-width: 3px; }
svg text.count { fill: var(--ink); } svg text.strong { fill: var(--on-accent); }
.grid { stroke: var(--grid); fill: none; } .cell { fill: var(--accent); }
.line { fill: none; stroke: var(--s); stroke-width: 2; stroke-linejoin: round; }
.bar { fill: none; stroke: var(--s); stroke-width: 1.5; opacity: .6; }
.dot { fill: var(--s); stroke: var(--sheet); stroke-width: 1.5; }
.ring { fill: var(--sheet); stroke: var(--s); stroke-width: 2; }
.solid { fill: var(--s); } svg text.value { fill: var(--ink); }
.front { fill: none; stroke: var(--quiet); stroke-width: 1.5; stroke-dasharray: 5 4; opacity: .8; }
.axis { stroke: var(--quiet); fill: none; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 8px 0 0; padding: 0;
  list-style: none; font-size: 13px; overflow-wrap: anywhere; }
.legend li::before { content: ""; display: inline-block; width: 14px; height: 3px;
  margin-right: 7px; vertical-align: middle; border-radius: 2px; background: var(--s); }
.phone { display: none; }
.empty { display: grid; place-items: center; min-height: 180px; color: var(--quiet);
  font-style: italic; }
@media (max-width: 600px) { main { padding: 24px 12px 48px; } h1 { font-size: 22px; }
  th, td { padding: 8px 10px; }
  th:first-child { white-space: normal; min-width: 104px; overflow-wrap: anywhere; }
  figure { padding: 12px; } svg { font-size: 13.5px; }
  svg text.name { display: none; } .legend.phone { display: flex; } }
@media print { .box { overflow: visible; } figure, tr { break-inside: avoid; } }
"""
COLOURS = "".join(f".s{i} {{ --s: var(--s{i}); }}\n" for i in range(12))
STYLE = (
    f":root {{{LIGHT}}}\n@media (prefers-color-scheme: dark) {{ :root {{{DARK}}} }}\n"
    f"{COLOURS}{RULES}"
)
