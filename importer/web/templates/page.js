// What the page does beyond plain forms: nothing is lost without it. Elements say by `data-…` what is to be done.
"use strict";

// A form is sent once: until the answer is there, its buttons do nothing more.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "yes";
  const buttons = form.querySelectorAll("button");
  for (const button of buttons) button.setAttribute("aria-disabled", "true");
  // data-again: its answer is a file, which leaves the page as it is.
  if ("again" in form.dataset) setTimeout(() => {
    delete form.dataset.sent;
    for (const button of buttons) button.removeAttribute("aria-disabled");
  }, 3000);
});
// A page that comes back from the browser's own store is as it was left: its forms may be sent again.
window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
// data-print: prints the page.
document.addEventListener("click", (event) => { if (event.target.closest("[data-print]")) window.print(); });

// data-live="address": the server sends the inside of this element anew whenever it changes; only a tab that is seen
// listens, because a browser has few connections. What is said goes into the element with data-said.
for (const element of document.querySelectorAll("[data-live]")) {
  let source = null;
  const listen = () => {
    source?.close();
    if (document.hidden) return;
    source = new EventSource(element.dataset.live);
    source.addEventListener("part", (event) => { element.innerHTML = event.data; });
    source.addEventListener("say", (event) => { document.querySelector("[data-said]").textContent = event.data; });
    source.addEventListener("leave", (event) => { source.close(); location.assign(event.data); });
  };
  document.addEventListener("visibilitychange", listen);
  listen();
}

// data-copy="text": copies it, and says so on the button for a moment.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  const before = button.textContent;
  button.textContent = button.dataset.copied || before;
  setTimeout(() => { button.textContent = before; }, 2000);
});

// data-continue="address": the page goes on there in a second, as it does without a script.
for (const element of document.querySelectorAll("[data-continue]")) {
  setTimeout(() => location.replace(element.dataset.continue), 1000);
}

// data-renew="address": the inside of this element is fetched anew, often while it has an element with data-soon.
for (const element of document.querySelectorAll("[data-renew]")) {
  const renew = async () => {
    try {
      const answer = await fetch(element.dataset.renew, { headers: { "X-Fragment": "1" } });
      const fresh = document.createElement("template");
      fresh.innerHTML = await answer.text();
      const isInUse = element.querySelector("details[open]");
      if (answer.ok && !isInUse && fresh.innerHTML.trim() !== element.innerHTML.trim()) {
        const focused = element.contains(document.activeElement) && document.activeElement.id;
        element.replaceChildren(fresh.content);
        if (focused) document.getElementById(focused)?.focus();
      }
    } catch { /* the program was closed: what is shown stays */ }
    setTimeout(renew, element.querySelector("[data-soon]") ? 1000 : 15000);
  };
  renew();
}

// data-now on a form: it is sent at once; its button is for browsers without a script.
document.querySelector("form[data-now]")?.requestSubmit();

// data-drop on a form: a file that is dropped anywhere on the page is put into its field, and sent.
const drop = document.querySelector("form[data-drop]");
if (drop) {
  const field = drop.querySelector("input[type=file]");
  const over = (event) => { event.preventDefault(); drop.classList.toggle("over", event.type === "dragover"); };
  for (const kind of ["dragover", "dragleave", "drop"]) document.addEventListener(kind, over);
  document.addEventListener("drop", (event) => {
    const isFolder = event.dataTransfer.items[0]?.webkitGetAsEntry?.()?.isDirectory;
    drop.querySelector("[data-drop-folder]").hidden = !isFolder;
    if (isFolder || !event.dataTransfer.files.length) return;
    const one = new DataTransfer();
    one.items.add(event.dataTransfer.files[0]);
    field.files = one.files;
    drop.requestSubmit();
  });
  field.addEventListener("change", () => { if (field.files.length) drop.requestSubmit(); });
}

// While a tab is open, the program does not end by itself.
setInterval(() => fetch("/here").catch(() => {}), 300000);

// data-preview="id" on a form: while things are chosen in it, that element shows what would come of them.
for (const form of document.querySelectorAll("form[data-preview]")) {
  form.addEventListener("change", async () => {
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { "X-Fragment": "1" } });
    if (answer.ok) document.getElementById(form.dataset.preview).innerHTML = await answer.text();
  });
}

// data-with="name" on a field: it is shown only while "constant" is chosen in the list of that name.
for (const field of document.querySelectorAll("[data-with]")) {
  const list = field.form.elements[field.dataset.with];
  const show = () => { field.hidden = list.value !== "constant"; };
  list.addEventListener("change", () => { show(); if (!field.hidden) field.focus(); });
  show();
}

// data-focus: what has just gone wrong, or has to be read first.
document.querySelector("[data-focus]")?.focus();

// data-part: the server sends these elements anew. A form in which somebody has typed stays as it is, and so do what was
// wrong and the focus; after a form it goes to what is wrong, the next field (data-next), or what was done (data-goal).
const isTyped = (field) => (field.options
  ? [...field.options].some((option) => option.selected !== option.defaultSelected)
  : "defaultValue" in field && (field.value !== field.defaultValue || field.checked !== field.defaultChecked));
const byId = (id) => document.getElementById(id || "");
// What is typed goes with its row (by the mark of that), also through a page that is loaded anew; what has no place is told.
const marked = (form) => form.elements?.mark?.value || "";
const typedIn = (form) => [...form.elements].filter((field) => field.id && !/radio|checkbox/.test(field.type) && isTyped(field))
  .map((field) => ({ id: field.id, name: field.name, mark: marked(form), text: field.value }));
function put(page, { id, name, mark, text }) {
  const forms = [...page.querySelectorAll("form[data-inplace]")];
  const field = mark ? forms.find((form) => marked(form) === mark)?.elements[name] : page.getElementById(id);
  if (field) field.value = text;
  return Boolean(field);
}
function tell(lost) {
  const place = document.querySelector("[data-lost]");
  if (!place || !lost.length) return;
  place.hidden = false;
  place.querySelector("span").textContent = lost.map((typed) => typed.text).join(" · ");
}
const kept = `typed ${location.pathname}${location.search}`;
addEventListener("pagehide", () => {
  const typed = [...document.querySelectorAll("form[data-inplace]:not([data-sent])")].flatMap(typedIn);
  try { if (typed.length) sessionStorage.setItem(kept, JSON.stringify(typed)); } catch { /* it is full, or not allowed */ }
});
try {
  const typed = document.querySelector("[data-lost]") ? JSON.parse(sessionStorage.getItem(kept) || "[]") : [];
  if (typed.length) { sessionStorage.removeItem(kept); tell(typed.filter((one) => !put(document, one))); }
} catch { /* nothing was kept */ }
// Other forms are about one page: who leaves it by a link is asked, as what was typed would not be saved.
addEventListener("beforeunload", (event) => {
  const forms = document.querySelectorAll("form[method=post]:not([data-inplace]):not([data-sent])");
  if ([...forms].flatMap(typedIn).length) event.preventDefault();
});
function renew(html, sent) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  const names = (page) => [...page.querySelectorAll("[data-part]")].map((part) => part.id).join();
  if (names(fresh) !== names(document)) { location.reload(); return; }
  const goal = goalOf(sent, document.activeElement), lost = [];
  const wrong = !sent && document.querySelector("[data-part] > [role=alert]");
  if (wrong) fresh.getElementById(wrong.parentElement.id).prepend(wrong);
  const told = !sent && document.querySelector("[data-lost]:not([hidden])");
  if (told) fresh.querySelector("[data-lost]")?.replaceWith(told);
  for (const form of document.querySelectorAll("form[data-inplace]")) {
    const place = form !== sent && form.closest("[id]:not([data-part])");
    const keeps = place && ([...form.elements].some(isTyped) || (!sent && place.querySelector(".bad-text")));
    const there = keeps && fresh.getElementById(place.id);
    if (there && marked(form) === marked(there.querySelector("form[data-inplace]") || there)) there.replaceWith(place);
    else if (keeps) lost.push(...typedIn(form).filter((typed) => !put(fresh, typed)));
  }
  for (const part of fresh.querySelectorAll("[data-part]")) {
    if (!byId(part.id).isEqualNode(part)) byId(part.id).replaceWith(part);
  }
  tell(lost);
  const found = goal();
  if (found && found !== document.activeElement) { if (found.tabIndex < 0) found.tabIndex = -1; found.focus(); }
  watch();
}
function goalOf(sent, focused) {
  const at = sent || focused, part = at?.closest("[data-part]"), place = at?.closest("[data-part] [id]:not(input, textarea, select)");
  const follows = (element) => at.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING;
  const after = place ? [...part.querySelectorAll(`${place.tagName}[id]`)].filter(follows).map((element) => element.id) : [];
  const field = (id) => byId(id)?.querySelector(":is(input, textarea):not([type=hidden])");
  const next = () => sent && "next" in sent.dataset && after.map(field).find(Boolean);
  const near = () => byId(place?.id)?.querySelector("[data-goal]") || after.map(byId).find(Boolean) || byId(part?.id)?.querySelector("h1, h2, h3");
  if (!sent) return () => byId(focused?.id) || (part && !part.isConnected && near());
  return () => document.querySelector("[role=alert]") || next() || near() || document.querySelector("h1");
}
async function ask(address, options) {
  const answer = await fetch(address, { ...options, headers: { "X-Fragment": "1" } }), html = await answer.text();
  if (!answer.ok || !html.includes("data-part")) throw new Error(String(answer.status));
  return html;
}

// data-recheck="address": something goes on; the parts are asked for until they no longer say so.
let waiting = null;
function watch() {
  clearTimeout(waiting);
  const address = document.querySelector("[data-recheck]")?.dataset.recheck;
  if (address) waiting = setTimeout(() => ask(address).then((html) => renew(html)).catch(watch), 500);
}
watch();

// data-inplace: the answer to this form goes into the page that is shown. Where that fails, the form is sent as any other.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!("inplace" in form.dataset) || event.defaultPrevented) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form, event.submitter));
  try { renew(await ask(form.action, { method: "POST", body }), form); } catch {
    if (event.submitter?.name) form.append(Object.assign(document.createElement("input"), { type: "hidden", name: event.submitter.name, value: event.submitter.value }));
    form.submit();
  }
});
