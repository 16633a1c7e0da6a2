"""The page's frame: what is the same in every page, with `$names` for what is not (`string.Template`)."""

from string import Template

PAGE = Template("""<!DOCTYPE html>
<html lang="$lang">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>$title</title>
<style>
:root { --ink: #16283f; --soft: #4d5968; --line: #cfd6df; --ground: #fff; --tint: #eef3f8; --link: #0b4fa8 }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 1.5rem 1.25rem 3rem; max-width: 76rem; color: var(--ink); background: var(--ground);
  font: 16px/1.5 Calibri, "Segoe UI", Carlito, system-ui, sans-serif }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .75rem }
h2 { font-size: 1.25rem; margin: 2.25rem 0 .75rem }
.next { background: var(--tint); border-left: .35rem solid #1f3a5f; padding: .75rem 1rem; margin: 0;
  font-size: 1.1rem; font-weight: 600 }
table { border-collapse: collapse; width: 100% }
caption { text-align: left; color: var(--soft); padding-bottom: .4rem }
th, td { text-align: left; vertical-align: top; padding: .45rem .6rem; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere }
thead th { background: #1f3a5f; color: #fff; overflow-wrap: normal }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums }
.state { display: inline-block; padding: .05rem .55rem; border-radius: .3rem; font-weight: 600; white-space: nowrap }
.bar { width: 40% }
.bar span { display: block; height: 1.1rem; min-width: 2px; border-radius: .15rem; print-color-adjust: exact;
  -webkit-print-color-adjust: exact }
.none td, .none th { color: var(--soft) }
tfoot th, tfoot td { font-weight: 700; border-bottom: 0; border-top: 2px solid var(--ink) }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.25rem; margin: 0 }
dt { font-weight: 600; color: var(--soft) }
dd { margin: 0; overflow-wrap: anywhere }
label { font-weight: 600 }
input { font: inherit; width: 100%; max-width: 30rem; padding: .45rem .6rem; border: 1px solid #6b7786;
  border-radius: .3rem; display: block; margin: .25rem 0 .5rem }
:focus-visible { outline: 3px solid #0b4fa8; outline-offset: 2px }
.scroll { overflow-x: auto }
code { font-family: Consolas, "DejaVu Sans Mono", monospace; font-size: .9em }
.column { font-weight: 600 }
.values { color: var(--soft) }
@media (max-width: 44rem) {
  body { padding: 1rem .8rem 2rem }
  dl { grid-template-columns: 1fr; gap: 0 }
  dd { margin-bottom: .5rem }
  .meaning { display: none }
  .cards thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden }
  .cards tr { display: block; border: 1px solid var(--line); border-radius: .4rem; margin-bottom: .75rem }
  .cards tr[hidden] { display: none }
  .cards td, .cards th { display: block; border: 0; text-align: left; padding: .3rem .7rem; width: auto }
  .cards [data-name]::before { content: attr(data-name); display: block; font-size: .8rem; font-weight: 400;
    color: var(--soft) }
}
@media print {
  @page { size: A4; margin: 14mm }
  body { padding: 0; max-width: none; font-size: 10.5pt }
  .bar { width: 24% }
  .search { display: none }
  tr { break-inside: avoid }
  thead { display: table-header-group }
  thead th, .state, .next { print-color-adjust: exact; -webkit-print-color-adjust: exact }
  h2 { break-after: avoid }
}
</style>
</head>
<body>
<main>
<h1>$title</h1>
<p class="next">$next_step</p>
$outcomes
$issues
$doubtful
<h2>$facts_title</h2>
<dl>
$facts
</dl>
</main>
<script>
const field = document.getElementById("search");
const found = document.getElementById("found");
if (field) {
  const plain = text => text.normalize("NFD").replace(/\\p{M}/gu, "").toLowerCase();
  const lines = [...document.querySelectorAll("[data-searched] tbody tr")].map(line => [line, plain(line.textContent)]);
  field.addEventListener("input", () => {
    const words = plain(field.value).split(/\\s+/).filter(Boolean);
    let shown = 0;
    for (const [line, text] of lines) {
      line.hidden = !words.every(word => text.includes(word));
      shown += !line.hidden;
    }
    found.textContent = words.length ? `$${shown} / $${lines.length}` : "";
  });
}
</script>
</body>
</html>
""")
