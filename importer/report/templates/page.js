const plain = text => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
for (const table of document.querySelectorAll("[data-searched]")) {
  const field = document.getElementById(table.dataset.searched);
  const found = document.getElementById(`${table.dataset.searched}-found`);
  const lines = [...table.querySelectorAll("tbody tr")].map(line => [line, plain(line.textContent)]);
  field.addEventListener("input", () => {
    const words = plain(field.value).split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const [line, text] of lines) {
      line.hidden = !words.every(word => text.includes(word));
      shown += !line.hidden;
    }
    found.textContent = words.length ? `${shown} / ${lines.length}` : "";
  });
}
