"use strict";
(() => {
  const filter = document.querySelector(".filter");
  const rows = [...document.querySelectorAll(".cases tbody tr")];
  if (filter) {
    const texts = rows.map((row) =>
      [...row.querySelectorAll("td:not(.pictures)")].map((cell) => cell.textContent).join(" ").toLowerCase());
    const update = () => {
      const find = filter.find.value.trim().toLowerCase();
      let shown = 0;
      rows.forEach((row, i) => {
        row.hidden = !texts[i].includes(find) ||
          (filter.errors.checked && !row.classList.contains("is-wrong"));
        shown += row.hidden ? 0 : 1;
      });
      filter.querySelector("output").textContent = `${shown} of ${rows.length} shown`;
    };
    filter.hidden = false;
    filter.addEventListener("input", update);
    filter.addEventListener("submit", (event) => event.preventDefault());
    update();
  }
  const lightbox = document.getElementById("lightbox");
  if (!lightbox || !lightbox.showModal) return;
  const place = lightbox.querySelector("div");
  document.querySelectorAll(".zoom > summary").forEach((summary) => {
    summary.addEventListener("click", (event) => {
      event.preventDefault();
      const row = summary.closest("tr");
      const words = document.createElement("p");
      words.append(...[".who", "[data-name=Truth]", "[data-name=Decision]"].map((name, i) => {
        const part = document.createElement("span");
        part.textContent = (i ? `${row.querySelector(name).dataset.name.toLowerCase()} ` : "") +
          (i ? row.querySelector(name) : row.querySelector(`${name} strong`)).textContent.trim();
        return part;
      }));
      const pictures = document.createElement("div");
      pictures.className = "pair";
      pictures.append(...[...summary.querySelectorAll("img")].map((picture) => picture.cloneNode()));
      const tiles = summary.parentElement.querySelector(".tiles");
      place.replaceChildren(words, pictures, ...(tiles ? [tiles.cloneNode(true)] : []));
      lightbox.showModal();
    });
  });
  lightbox.addEventListener("click", (event) => {
    if (event.target === lightbox) lightbox.close();
  });
})();
