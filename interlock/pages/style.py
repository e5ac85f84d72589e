"""How the page looks: light and dark, on a desk, on a phone and on paper."""

STYLE = """
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --ink: #1b2330; --soft: #5b6675; --line: #dfe3e9; --fill: #eef1f5;
  --accent: #3d4f6b; --blue: #2563c9; --green: #18855a; --good: #18855a; --bad: #c22f2f; --idle: #8a94a3;
  --blue-soft: #dbe7fb; --green-soft: #d5f0e3; --warn: #96660a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161c; --card: #1a2029; --ink: #e7ebf1; --soft: #a0abba; --line: #303947; --fill: #242c38;
    --accent: #9fb4d6; --blue: #6ea3f7; --green: #52c796; --good: #52c796; --bad: #ff7d7d; --idle: #7b8696;
    --blue-soft: #23395c; --green-soft: #1c4335; --warn: #e0b252;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main { max-width: 68rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .4rem; letter-spacing: -.01em; }
h2 { font-size: 1.2rem; margin: 0 0 .35rem; }
h3 { font-size: .95rem; margin: 1.2rem 0 .3rem; }
p { margin: 0 0 .8rem; max-width: 46rem; }
.soft { color: var(--soft); }
.card {
  background: var(--card); border: 1px solid var(--line); border-radius: .7rem;
  padding: 1.2rem 1.4rem; margin-top: 1.1rem;
}
.badge {
  display: inline-block; padding: .05rem .6rem; border-radius: 1rem; font-weight: 600; font-size: .85rem;
  border: 1.5px solid currentColor; vertical-align: .25rem; margin-left: .5rem; letter-spacing: 0;
}
.passed { color: var(--good); } .failed { color: var(--bad); } .not-run { color: var(--idle); }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .7rem; margin: 1.1rem 0 0; }
.facts div { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .6rem .9rem; }
.facts + p { margin-top: .9rem; }
.facts dt { color: var(--soft); font-size: .82rem; }
.facts dd { margin: 0; font-size: 1.35rem; font-weight: 650; font-variant-numeric: tabular-nums; }
.problem { border-left: .3rem solid var(--bad); }
dl.pairs { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 0; }
dl.pairs dt { color: var(--soft); } dl.pairs dd { margin: 0; min-width: 0; }
pre, code { font: .85em/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; margin: 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; padding: .35rem .8rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--soft); font-weight: 600; font-size: .82rem; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.whole { white-space: nowrap; }
tr:last-child td { border-bottom: 0; }
ol.time { list-style: none; margin: .6rem 0 0; padding: 0; font-size: .9rem; }
ol.time li { display: grid; grid-template-columns: 15rem 1fr; gap: .8rem; align-items: center; padding: .16rem 0; }
ol.time .track { position: relative; height: 1.45rem; background: var(--fill); border-radius: .3rem; }
ol.time .bar {
  position: absolute; top: .2rem; bottom: .2rem; min-width: 3px; border-radius: .2rem; background: var(--accent);
}
ol.time .bar.failed { background: var(--bad); }
ol.time .seconds {
  position: absolute; top: 0; line-height: 1.45rem; font-size: .78rem; color: var(--soft); padding: 0 .4rem;
  font-variant-numeric: tabular-nums; white-space: nowrap;
}
ol.time .axis { color: var(--soft); font-size: .78rem; height: 1.2rem; position: relative; }
ol.time .axis span { position: absolute; transform: translateX(-50%); white-space: nowrap; }
ol.time .axis span:first-child { transform: none; } ol.time .axis span:last-child { transform: translateX(-100%); }
svg { display: block; max-width: 100%; height: auto; } svg.wide { width: 100%; }
svg text { fill: var(--ink); font-family: inherit; } svg .soft { fill: var(--soft); }
figure { margin: 0; } figcaption { color: var(--soft); font-size: .88rem; margin-top: .4rem; }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: 1.5rem; }
.meter { background: var(--fill); border-radius: .2rem; height: .55rem; min-width: 5rem; margin-top: .45rem; }
.meter i { display: block; height: 100%; background: var(--accent); border-radius: .2rem; }
.key {
  display: inline-block; width: .75rem; height: .75rem; border-radius: .15rem; margin: 0 .35rem 0 .9rem;
  vertical-align: -.05rem;
}
.key:first-child { margin-left: 0; }
details summary { cursor: pointer; color: var(--soft); margin-top: .6rem; font-size: .9rem; }
@media (max-width: 42rem) {
  main { padding: 1.2rem .8rem 3rem; }
  .card { padding: 1rem; }
  ol.time li { grid-template-columns: 1fr; gap: .1rem; }
  dl.pairs { grid-template-columns: 1fr; } dl.pairs dd { margin-bottom: .4rem; }
  .scroll svg.wide { min-width: 44rem; } .scroll svg { min-width: 34rem; } .scroll table { min-width: 34rem; }
}
@media print {
  :root { --page: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb; --fill: #eee; }
  body { font-size: 11pt; } main { max-width: none; padding: 0; }
  .card, .facts div { break-inside: avoid; border-color: #bbb; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  details:not([open]) > *:not(summary) { display: block; }
}
"""
