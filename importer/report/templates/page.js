const field = document.getElementById("search");
const found = document.getElementById("found");
if (field) {
  const plain = text => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const lines = [...document.querySelectorAll("[data-searched] tbody tr")].map(line => [line, plain(line.textContent)]);
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
