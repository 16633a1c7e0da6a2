"""How the page looks; it needs nothing from outside."""

STYLE = """
:root { color-scheme: light dark; --ink: #1d2433; --soft: #5d6780; --line: #dfe3ec; --paper: #fff; --wash: #f4f6fa;
  --accent: #2456c5; --open: #1a6b3c; --open-wash: #e2f4e9; --shut: #4c5568; --shut-wash: #e8ebf1;
  --note: #7a4b00; --note-wash: #fff3d9; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9f0; --soft: #9aa4ba; --line: #313a4d; --paper: #1b2130;
  --wash: #131824; --accent: #8db0ff; --open: #8fdcae; --open-wash: #173a27; --shut: #c3cad8; --shut-wash: #313a4d;
  --note: #ffd58a; --note-wash: #3d2f12; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--wash); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", sans-serif; }
main, header > div, footer { max-width: 1200px; margin: 0 auto; padding: 0 20px; }
header { background: var(--paper); border-bottom: 1px solid var(--line); }
header > div { display: flex; flex-wrap: wrap; gap: 4px 16px; align-items: center; padding-block: 14px; }
header a { font-weight: 650; font-size: 17px; color: var(--ink); text-decoration: none; }
.note { background: var(--note-wash); color: var(--note); border-radius: 6px; padding: 2px 10px; font-size: 13px; }
h1 { font-size: 22px; margin: 26px 0 14px; overflow-wrap: anywhere; }
h1 .pill { margin-left: 8px; font-weight: 500; }
h2 { font-size: 13px; margin: 26px 0 8px; color: var(--soft); text-transform: uppercase; letter-spacing: .05em; }
a { color: var(--accent); }
form { display: flex; gap: 8px; margin-bottom: 16px; }
input { flex: 1; min-width: 0; font: inherit; padding: 8px 12px; color: inherit; background: var(--paper);
  border: 1px solid var(--line); border-radius: 8px; }
button { font: inherit; padding: 8px 18px; border: 0; border-radius: 8px; background: #2456c5; color: #fff; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.card { background: var(--paper); border: 1px solid var(--line); border-radius: 12px; overflow: hidden; }
table { width: 100%; border-collapse: collapse; table-layout: fixed; }
th { text-align: left; font-size: 12px; font-weight: 600; color: var(--soft); background: var(--wash); }
th, td { padding: 10px 12px; border-bottom: 1px solid var(--line); vertical-align: top; overflow: hidden;
  text-overflow: ellipsis; white-space: nowrap; }
tr:last-child td { border-bottom: 0; }
tbody tr:hover { background: var(--wash); }
.id { width: 128px; } .when { width: 164px; } .status { width: 112px; } .kind { width: 116px; } .files { width: 64px; }
td.files, th.files { text-align: right; }
.contact { width: 19%; }
.pill { display: inline-block; max-width: 100%; overflow: hidden; text-overflow: ellipsis; vertical-align: middle;
  border-radius: 99px; padding: 0 10px; font-size: 13px; background: var(--open-wash); color: var(--open); }
.pill.closed { background: var(--shut-wash); color: var(--shut); }
nav { display: flex; justify-content: space-between; margin: 14px 0; color: var(--soft); }
.empty { padding: 40px 20px; text-align: center; color: var(--soft); }
dl { display: grid; grid-template-columns: max-content 1fr; margin: 0; padding: 6px 18px; }
dt, dd { margin: 0; padding: 7px 0; }
dt { color: var(--soft); padding-right: 28px; }
dd { overflow-wrap: anywhere; white-space: pre-wrap; }
.text { padding: 14px 18px; white-space: pre-wrap; overflow-wrap: anywhere; }
ul.attachments { list-style: none; margin: 0; padding: 0; display: grid; gap: 12px;
  grid-template-columns: repeat(auto-fill, minmax(200px, 1fr)); }
.attachments a { display: block; text-decoration: none; }
.attachments img, .attachments b { display: flex; width: 100%; height: 120px; object-fit: contain; align-items: center;
  justify-content: center; background: var(--wash); color: var(--soft); font-size: 22px; }
.attachments span { display: block; padding: 8px 12px; font-size: 13px; border-top: 1px solid var(--line); }
pre { margin: 0; padding: 14px 18px; overflow: auto; font-size: 13px; }
summary { cursor: pointer; color: var(--soft); margin: 26px 0 8px; }
footer { color: var(--soft); font-size: 13px; padding-block: 28px; }
footer ul { margin: 6px 0 0; padding-left: 18px; }
@media (max-width: 720px) {
  main, header > div, footer { padding-inline: 14px; }
  thead { display: none; }
  tr { display: grid; grid-template-columns: 1fr auto; gap: 2px 12px; padding: 10px 14px;
    border-bottom: 1px solid var(--line); }
  tr:last-child { border-bottom: 0; }
  td { padding: 0; border: 0; width: auto; }
  td.status { order: 1; text-align: right; } td.id { order: 0; } td.about { order: 2; grid-column: 1 / -1; }
  td.contact { order: 3; width: auto; color: var(--soft); } td.files { order: 4; }
  td.when, td.kind { display: none; }
  td.files { width: auto; color: var(--soft); } td.files:not(:empty)::before { content: attr(title) ": "; }
  dl { grid-template-columns: 1fr; } dt { padding: 8px 0 0; font-size: 13px; } dd { padding: 0 0 8px; }
}
"""
