"use strict";
(() => {
  const rows = [...document.querySelectorAll(".cases tbody tr")];
  const filter = document.querySelector(".filter");
  const update = () => {
    const find = filter.find.value.trim().toLowerCase();
    rows.forEach((row) => {
      row.hidden = !row.dataset.text.includes(find) ||
        (filter.errors.checked && !row.classList.contains("is-wrong"));
    });
    const shown = rows.filter((row) => !row.hidden).length;
    filter.querySelector("output").textContent = `${shown} of ${rows.length} shown`;
  };
  if (filter) {
    rows.forEach((row) => {
      row.dataset.text = [...row.querySelectorAll("td:not(.pictures)")]
        .map((cell) => cell.textContent).join(" ").toLowerCase();
    });
    filter.hidden = false;
    filter.addEventListener("input", update);
    filter.addEventListener("submit", (event) => event.preventDefault());
    update();
  }
  // without this script the addresses alone open and close the pages of the cases
  const opened = () => document.querySelector(".case-page:target");
  const show = () => {
    const page = opened();
    if (!page) return;
    page.closest("tr").hidden = false;
    page.scrollTop = 0;
    page.focus({ preventScroll: true });
  };
  window.addEventListener("hashchange", show);
  show();
  document.addEventListener("keydown", (event) => {
    const way = { Escape: ".close", ArrowLeft: ".before", ArrowRight: ".after" }[event.key];
    const link = way && opened()?.querySelector(way);
    if (link) link.click();
  });
})();
