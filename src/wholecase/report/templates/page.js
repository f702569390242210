// The table of cases: found, shown in portions; and their pages, leafed through by keyboard.
(() => {
  const PORTION = 20;
  const rows = [...document.querySelectorAll(".cases tbody tr")];
  const filter = document.querySelector(".filter"), more = document.querySelector(".more-rows");
  let most = PORTION;
  const update = () => {
    const find = filter.find.value.trim().toLowerCase();
    const fits = (row) => row.dataset.text.includes(find) &&
      (!filter.errors.checked || row.classList.contains("is-wrong"));
    rows.forEach((row) => { row.hidden = !fits(row); });
    const found = rows.filter((row) => !row.hidden);
    found.forEach((row, i) => row.classList.toggle("is-later", i >= most));
    filter.querySelector("output").textContent = `${Math.min(most, found.length)} of ${rows.length} shown`;
    more.hidden = found.length <= most;
    more.textContent = `Show all ${found.length}`;
  };
  if (filter) {
    rows.forEach((row) => {
      row.dataset.text = [...row.querySelectorAll("td:not(.pictures)")]
        .map((cell) => cell.textContent).join(" ").toLowerCase();
    });
    filter.hidden = false;
    filter.addEventListener("input", update);
    filter.addEventListener("submit", (event) => event.preventDefault());
    more.addEventListener("click", () => {
      const first = rows.find((row) => row.matches(".is-later:not([hidden])"));
      most = Infinity;
      update();
      first?.querySelector(".who a").focus();
    });
    update();
  }
  // without this script the addresses alone open and close the pages of the cases
  const opened = () => document.querySelector(".case-page:target");
  const show = () => {
    const page = opened();
    if (page) {
      const row = page.closest("tr");
      row.hidden = false;
      row.classList.remove("is-later");
      page.scrollTop = 0;
      page.focus({ preventScroll: true });
    } else document.querySelector("tr:target .who a")?.focus({ preventScroll: true });
  };
  addEventListener("hashchange", show);
  addEventListener("load", show); // before, nothing is the target
  document.addEventListener("keydown", (event) => {
    const way = { Escape: ".close", ArrowLeft: ".before", ArrowRight: ".after" }[event.key];
    if (!way || document.querySelector("dialog[open], .word:popover-open") || event.target.matches("[role=group]")) return;
    opened()?.querySelector(way)?.click();
  });
})();
