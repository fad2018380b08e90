//! How the page looks: light, dark where the reader's system is, and on paper.

/// The style sheet. It names no address.
pub(crate) const STYLE: &str = "
:root {
  color-scheme: light dark;
  --ground: #ffffff; --text: #1f2328; --soft: #57606a; --faint: #e4e8ec; --rung: #f3f5f8;
  --grid: #d0d7de; --blue: #0b62c4; --waste: #d1580c; --green: #1a7f37; --red: #c02a37;
  --band-1: #0b62c4; --band-2: #d1580c; --band-3: #c9a100; --band-4: #3f9d8f; --band-5: #8e63b5;
  --band-6: #6e7781;
}
@media (prefers-color-scheme: dark) { :root {
  --ground: #0d1117; --text: #e6edf3; --soft: #9aa4af; --faint: #21262d; --rung: #161b22;
  --grid: #3a424b; --blue: #58a6ff; --waste: #f0883e; --green: #3fb950; --red: #ff7b72;
  --band-1: #58a6ff; --band-2: #f0883e; --band-3: #d6b62a; --band-4: #4fb8a8; --band-5: #b18bdb;
  --band-6: #8b949e;
} }
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--text); font: 16px/1.5 system-ui, sans-serif }
header, main, footer { max-width: 76rem; margin: 0 auto; padding: 0 1.25rem }
h1 { font-size: 1.7rem; margin: 1.6rem 0 .2rem }
h2 { font-size: 1.25rem; margin: 2.4rem 0 .4rem; padding-top: .8rem; border-top: 1px solid var(--grid) }
p { margin: .4rem 0; max-width: 52rem }
.lead { font-size: 1.1rem; font-weight: 600 }
.small, footer p, figcaption { color: var(--soft); font-size: .875rem }
figure { margin: .8rem 0 .4rem }
.scroll { overflow-x: auto }
.scroll:focus-visible, summary:focus-visible { outline: 2px solid var(--blue); outline-offset: 2px }
svg { display: block; width: 100%; min-width: 46rem; height: auto }
pre { background: var(--rung); border: 1px solid var(--grid); border-radius: 6px; padding: .8rem; overflow-x: auto; font-size: .85rem; line-height: 1.45 }
details { margin: .3rem 0 }
summary { cursor: pointer; color: var(--soft); font-size: .9rem; width: fit-content }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; margin: .5rem 0 }
th, td { padding: .2rem .8rem .2rem 0; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--faint); font-weight: 400 }
th:first-child { text-align: left; padding-right: 1.5rem }
thead th { font-weight: 600 }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; margin: 0 0 .3rem; padding: 0; font-size: .875rem }
.key { display: inline-block; width: .85rem; height: .85rem; margin-right: .4rem; border-radius: 2px; vertical-align: -.1rem; forced-color-adjust: none; print-color-adjust: exact }
svg text { font: 13px system-ui, sans-serif; fill: var(--text) }
svg .soft { fill: var(--soft) }
svg .head { font-weight: 600; font-size: 14px }
svg .middle { text-anchor: middle } svg .end { text-anchor: end }
svg .tag { font-weight: 600; fill: var(--waste) }
.rung { fill: var(--rung) }
.unpainted { fill: transparent } .key.rung { background: var(--rung); border: 1px solid var(--grid) }
.grid { stroke: var(--grid); stroke-width: 1; fill: none }
.axis { stroke: var(--soft); stroke-width: 1; fill: none }
.edge { stroke: var(--grid); stroke-width: 1; fill: none }
.live { fill: var(--blue); background: var(--blue) }
.lost { fill: var(--waste); background: var(--waste) }
.training { stroke: var(--blue); stroke-width: 2.5; fill: none; stroke-linejoin: round }
.holdout { stroke: var(--waste); stroke-width: 2.5; fill: none; stroke-dasharray: 7 4; stroke-linejoin: round }
.key.training { background: var(--blue) } .key.holdout { background: var(--waste) }
.chosen { fill: var(--ground); stroke: var(--blue); stroke-width: 2.5 }
.peer { fill: var(--soft); stroke: var(--ground); stroke-width: 1.5 } .key.peer { background: var(--soft); border-radius: 50% }
.ours { fill: var(--green); stroke: var(--ground); stroke-width: 1.5 } .key.ours { background: var(--green); border-radius: 50% }
.noise { fill: var(--faint) } .key.noise { background: var(--faint); border: 1px solid var(--grid) }
.margin { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 3 4; fill: none }
.one { stroke: var(--soft); stroke-width: 1.5; fill: none }
.better { fill: var(--green); stroke: var(--green); background: var(--green) }
.worse { fill: var(--red); stroke: var(--red); background: var(--red) }
.open { fill: var(--soft); stroke: var(--soft); background: var(--soft) }
.interval { stroke-width: 3 }
svg text.better, svg text.worse { stroke: none; font-weight: 600 }
svg text.better { fill: var(--green) } svg text.worse { fill: var(--red) }
.band-1 { fill: var(--band-1); background: var(--band-1) }
.band-2 { fill: var(--band-2); background: var(--band-2) }
.band-3 { fill: var(--band-3); background: var(--band-3) }
.band-4 { fill: var(--band-4); background: var(--band-4) }
.band-5 { fill: var(--band-5); background: var(--band-5) }
.band-6 { fill: var(--band-6); background: var(--band-6) }
footer { margin-top: 2.5rem; padding-bottom: 2rem }
@media print {
  :root {
    color-scheme: light;
    --ground: #ffffff; --text: #000000; --soft: #444c56; --faint: #e4e8ec; --rung: #f3f5f8;
    --grid: #c4ccd4; --blue: #0b62c4; --waste: #d1580c; --green: #1a7f37; --red: #c02a37;
    --band-1: #0b62c4; --band-2: #d1580c; --band-3: #c9a100; --band-4: #3f9d8f; --band-5: #8e63b5;
    --band-6: #6e7781;
  }
  body { font-size: 10.5pt }
  header, main, footer { max-width: none; padding: 0 }
  svg { min-width: 0; print-color-adjust: exact }
  figure, pre { break-inside: avoid }
  h2, .before { break-after: avoid }
  svg text, svg .head { font-size: 15px }
  pre { white-space: pre-wrap; font-size: 8pt }
  details { display: none }
}
@page { size: A4; margin: 14mm }
";
