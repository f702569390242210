"use strict";
// Parts fold: on a small screen all are folded at first, and what is asked for opens.
(() => {
  const isSmall = matchMedia("(max-width: 640px)").matches;
  if (isSmall) document.querySelectorAll("details.fold").forEach((fold) => { fold.open = false; });
  const reveal = () => {
    const place = document.getElementById(location.hash.slice(1));
    if (!place) return;
    const own = place.querySelector(":scope > details.fold");
    if (own) own.open = true;
    for (let at = place.closest("details"); at; at = at.parentElement.closest("details")) at.open = true;
    if (getComputedStyle(place).position !== "fixed") place.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  reveal();
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link && link.hash === location.hash) setTimeout(reveal);
  });
  // a word says on hover what it opens on a tap
  document.addEventListener("pointerover", (event) => {
    const word = event.target.closest?.(".term:not([title])");
    if (word) word.title = document.querySelector(`#${word.getAttribute("popovertarget")} span`).textContent;
  });
  // what scrolls sideways can be reached by keyboard, what does not is no stop on the way
  const measure = () => document.querySelectorAll(".scroll, pre").forEach((box) => {
    const told = { tabindex: 0, role: "group", "aria-label": "scrolls sideways" };
    for (const [name, value] of Object.entries(told)) {
      if (box.scrollWidth > box.clientWidth) box.setAttribute(name, value);
      else box.removeAttribute(name);
    }
  });
  addEventListener("resize", measure);
  document.addEventListener("toggle", measure, true);
  measure();
})();
