// Pictures that show one place, side by side over the whole screen: enlarged and moved as one.
(() => {
  const MOST = 16, STEP = 1.5, REACH = 0.1;
  const dialog = document.querySelector("dialog.zoom");
  const [panes, shown] = [dialog.querySelector(".zoom-panes"), dialog.querySelector("output")];
  let x = 0, y = 0, scale = 1; // where the left upper corner lies, in sizes of a pane
  const within = (value) => Math.min(Math.max(value, 1 - scale), 0);
  const paint = () => {
    [x, y] = [within(x), within(y)];
    for (const pane of panes.children) {
      pane.firstChild.style.transform = `translate(${100 * x}%, ${100 * y}%) scale(${scale})`;
    }
    shown.textContent = `${scale.toFixed(1)} ×`;
  };
  const zoom = (factor, atX = 0.5, atY = 0.5) => {
    const next = Math.min(Math.max(scale * factor, 1), MOST);
    x = atX - (atX - x) * next / scale;
    y = atY - (atY - y) * next / scale;
    scale = next;
    paint();
  };
  const move = (right, down) => { x += right; y += down; paint(); };
  const fit = () => { [x, y, scale] = [0, 0, 1]; paint(); };
  // pictures of one place are of one width, whatever legend stands below one of them
  const lay = () => {
    const images = [...panes.querySelectorAll("img")];
    const flattest = Math.min(...images.map((one) => one.naturalWidth / one.naturalHeight));
    images.forEach((one) => {
      const box = one.parentElement;
      const width = Math.min(box.clientWidth, box.clientHeight * flattest);
      one.style.width = `${width}px`;
      one.style.marginTop = `${(box.clientHeight - width / flattest) / 2}px`;
    });
    paint();
  };
  const open = (group) => {
    panes.replaceChildren(...[...group.querySelectorAll("img")].map((image) => {
      const pane = document.createElement("figure"), sheet = document.createElement("div");
      const words = document.createElement("figcaption");
      sheet.append(Object.assign(new Image(), { src: image.src, alt: image.alt, draggable: false }));
      words.textContent = image.dataset.words ||
        image.closest("figure, li")?.querySelector("figcaption, .slice-told")?.innerText || image.alt;
      pane.append(sheet, words);
      return pane;
    }));
    const legend = group.closest("article, section")?.querySelector(".heat-legend");
    dialog.querySelector(".zoom-legend").replaceChildren(...(legend ? [legend.cloneNode(true)] : []));
    dialog.querySelector(".zoom-name").textContent = group.dataset.zoom;
    dialog.showModal();
    dialog.querySelector("[name=in]").focus();
    fit();
    Promise.all([...panes.querySelectorAll("img")].map((one) => one.decode())).then(lay);
  };
  const place = ({ clientX: right, clientY: down }) => {
    const boxes = [...panes.children].map((pane) => pane.getBoundingClientRect());
    const box = boxes.find((one) => right >= one.left && right < one.right && down >= one.top && down < one.bottom) || boxes[0];
    return [(right - box.left) / box.width, (down - box.top) / box.height];
  };
  const fingers = new Map();
  panes.addEventListener("pointerdown", (event) => {
    panes.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, event);
  });
  panes.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const box = panes.firstChild.getBoundingClientRect();
    const other = [...fingers.values()].find((one) => one.pointerId !== event.pointerId);
    const share = other ? 0.5 : 1;
    fingers.set(event.pointerId, event);
    move(share * (event.clientX - before.clientX) / box.width, share * (event.clientY - before.clientY) / box.height);
    if (!other) return;
    const apart = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
    const middle = { clientX: (event.clientX + other.clientX) / 2, clientY: (event.clientY + other.clientY) / 2 };
    zoom(apart(event) / Math.max(apart(before), 1), ...place(middle));
  });
  for (const end of ["pointerup", "pointercancel"]) {
    panes.addEventListener(end, (event) => fingers.delete(event.pointerId));
  }
  panes.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 400), ...place(event));
  }, { passive: false });
  panes.addEventListener("dblclick", (event) => zoom(STEP * STEP, ...place(event)));
  const keys = {
    "+": () => zoom(STEP), "=": () => zoom(STEP), "-": () => zoom(1 / STEP), "0": fit,
    ArrowLeft: () => move(REACH, 0), ArrowRight: () => move(-REACH, 0),
    ArrowUp: () => move(0, REACH), ArrowDown: () => move(0, -REACH),
  };
  dialog.addEventListener("keydown", (event) => {
    if (!keys[event.key] || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    keys[event.key]();
  });
  const buttons = { in: () => zoom(STEP), out: () => zoom(1 / STEP), fit, close: () => dialog.close() };
  dialog.addEventListener("click", (event) => buttons[event.target.name]?.());
  addEventListener("resize", () => { if (dialog.open) lay(); });
  // of a case in its row a tap opens its page, there one enlarges
  const mayEnlarge = (group) => !group.matches(".case-page:not(:target) *");
  document.querySelectorAll("[data-zoom]").forEach((group) => {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "enlarge", textContent: "Enlarge" });
    button.setAttribute("aria-label", `Enlarge: ${group.dataset.zoom}`);
    button.addEventListener("click", () => open(group));
    (group.matches("tr") ? group.cells[0].lastElementChild : group).after(button);
    group.classList.add("enlarges");
    group.addEventListener("click", (event) => {
      if (!event.target.closest("img") || !mayEnlarge(group)) return;
      event.preventDefault();
      open(group);
    });
  });
})();
