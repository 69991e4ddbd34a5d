/* The catalogue as a map, and the items that look the same. */
"use strict";
akin.showMap = (section, map, tools) => {
  const { noun, el, number, plural, percent, picture, linkTo, categoryName, itemsAddress, data, summary } = tools;
  if (section.childElementCount) return;
  if (!map) {
    section.replaceChildren(el("div", { class: "heading" }, el("h1", {}, "Map")),
      el("div", { class: "empty" }, el("strong", {}, "There is no map"), "It needs the vectors of the table: akin gallery --embeddings embeddings.nc."));
    return;
  }
  /* The categories with the most items on the map get a colour. */
  const counts = new Map();
  for (const [row] of map.items) if (categoryName(row)) counts.set(categoryName(row), (counts.get(categoryName(row)) || 0) + 1);
  const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#7a5195", "#b8a500", "#8c4a2f", "#808080"]; // the first six: Okabe and Ito's, which the colour-blind can tell apart
  const names = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, COLOURS.length).map(([name]) => name);
  const colour = (name) => (names.includes(name) ? COLOURS[names.indexOf(name)] : "var(--line)");
  function legend(name) {
    const dot = el("i", {});
    dot.style.background = colour(name);
    return el("a", { class: "legend", href: itemsAddress("", name, 1) }, dot, name);
  }
  function others() {
    const left = counts.size - names.length, dot = el("i", {});
    dot.style.background = colour("");
    return left > 0 ? el("span", { class: "legend" }, dot, left === 1 ? "1 other category" : `${number(left)} other categories`) : "";
  }
  function spot([row, column, line]) {
    const name = categoryName(row), node = el("a", { href: linkTo(row), title: name ? `${data.ids[row]} · ${name}` : data.ids[row], "data-id": data.ids[row] }, picture(row));
    node.style.left = `${100 * column / map.columns}%`;
    node.style.top = `${100 * line / map.lines}%`;
    node.style.width = `${100 / map.columns}%`;
    node.style.height = `${100 / map.lines}%`;
    node.style.setProperty("--edge", colour(name));
    return node;
  }
  const plane = el("div", { class: "plane" }, map.items.map(spot)), board = el("div", { class: "map" }, plane);
  /* On a phone the whole of it would be dots in a strip: it is taller there and begins with pictures of at least 30 pixels. */
  const narrow = innerWidth / map.columns < 18;
  plane.style.aspectRatio = `${map.columns} / ${map.lines}`;
  board.style.aspectRatio = narrow ? "3 / 4" : plane.style.aspectRatio;

  /* Zoom with the wheel or the buttons, pan by dragging; what is under the pointer stays there. */
  const at = { scale: 1, x: 0, y: 0 };
  function place() {
    const { clientWidth: width, clientHeight: height } = board, free = height - plane.offsetHeight * at.scale;
    at.x = Math.min(0, Math.max(width * (1 - at.scale), at.x));
    at.y = free > 1 ? free / 2 : Math.min(0, Math.max(free, at.y)); // what is lower than its board lies in its middle
    board.style.touchAction = at.scale > 1 ? "none" : ""; // a finger moves what is enlarged, else the page
    /* The edges and corners of pictures keep their size. */
    plane.style.setProperty("--thick", `${Math.min(3, Math.max(1, width / map.columns * at.scale / 10)) / at.scale}px`);
    plane.style.setProperty("--corner", `${4 / at.scale}px`);
    plane.style.transform = `translate(${at.x}px, ${at.y}px) scale(${at.scale})`;
  }
  function zoom(factor, x, y) {
    const scale = Math.min(12, Math.max(1, at.scale * factor));
    at.x = x - (x - at.x) * scale / at.scale;
    at.y = y - (y - at.y) * scale / at.scale;
    at.scale = scale;
    place();
  }
  /* Moves one of these pictures into the middle, if none of them can be seen. */
  function bring(nodes) {
    const r = board.getBoundingClientRect(), places = nodes.map((node) => node.getBoundingClientRect());
    if (places.some((p) => p.right > r.left && p.left < r.right && p.bottom > r.top && p.top < r.bottom)) return;
    const p = places[Math.floor(places.length / 2)];
    at.x += r.left + r.width / 2 - (p.left + p.width / 2);
    at.y += r.top + r.height / 2 - (p.top + p.height / 2);
    place();
  }
  const middle = (factor) => { const r = board.getBoundingClientRect(); zoom(factor, r.width / 2, r.height / 2); };
  board.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.shiftKey && at.scale === 1 && event.deltaY > 0) return; // the page scrolls on
    event.preventDefault();
    const r = board.getBoundingClientRect();
    zoom(event.deltaY < 0 ? 1.25 : 0.8, event.clientX - r.left, event.clientY - r.top);
  }, { passive: false });
  let drag = null;
  const fingers = new Map(); // two of them zoom
  const apart = () => { const [a, b] = [...fingers.values()]; return Math.max(1, Math.hypot(a.x - b.x, a.y - b.y)); };
  board.addEventListener("pointerdown", (event) => {
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (at.scale > 1 && event.button === 0) drag = { x: event.clientX, y: event.clientY, moved: fingers.size > 1 };
  });
  function pinch(event) {
    const before = apart(), r = board.getBoundingClientRect();
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    const [a, b] = [...fingers.values()];
    zoom(apart() / before, (a.x + b.x) / 2 - r.left, (a.y + b.y) / 2 - r.top);
  }
  addEventListener("pointermove", (event) => {
    if (fingers.size === 2 && fingers.has(event.pointerId)) return pinch(event);
    if (!drag) return;
    drag.moved = drag.moved || Math.hypot(event.clientX - drag.x, event.clientY - drag.y) > 4;
    if (!drag.moved) return;
    at.x += event.clientX - drag.x;
    at.y += event.clientY - drag.y;
    drag.x = event.clientX;
    drag.y = event.clientY;
    place();
  });
  addEventListener("pointerup", (event) => {
    fingers.delete(event.pointerId);
    if (drag && drag.moved) { // a mouse clicks at the end of a drag; a finger does not, and its next tap counts
      const ignore = (click) => { click.preventDefault(); click.stopPropagation(); };
      addEventListener("click", ignore, { capture: true, once: true });
      setTimeout(() => removeEventListener("click", ignore, { capture: true }), 50);
    }
    drag = null;
  });
  addEventListener("pointercancel", (event) => { fingers.delete(event.pointerId); drag = null; });
  board.addEventListener("dragstart", (event) => event.preventDefault());
  const button = (label, title, does) => { const node = el("button", { type: "button", class: "more", title, "aria-label": title }, label); node.addEventListener("click", does); return node; };
  const controls = el("p", { class: "zoom" }, button("+", "Zoom in", () => middle(1.6)), button("−", "Zoom out", () => middle(0.625)), button("Whole map", "Show the whole map", () => { at.scale = 1; place(); }));

  /* Items of other categories fade; "" shows all. */
  akin.filterMap = (name) => {
    const wanted = [...plane.childNodes].filter((node, i) => !node.classList.toggle("faded", name !== "" && categoryName(map.items[i][0]) !== name));
    if (name !== "" && wanted.length > 0 && at.scale > 1) bring(wanted);
  };
  section.replaceChildren(
    el("div", { class: "heading" }, el("h1", {}, "Map"), el("p", { class: "quiet", id: "mapped" }, (map.items.length < summary.items ? `a sample of ${number(map.items.length)} of ${plural(summary.items, noun)}` : plural(map.items.length, noun)) + `: similar ${noun}s are close to each other`)),
    names.length ? el("p", { class: "legends" }, names.map(legend), others()) : "", controls, board,
    el("p", { class: "quiet" }, `The first two principal components of ${map.sampled < summary.items ? `${plural(map.sampled, "vector")}, evenly chosen from the catalogue` : "the vectors"}; they explain ${percent(map.explained[0])} and ${percent(map.explained[1])} of the variance. Pictures are moved apart, so distances are not to scale.`));
  requestAnimationFrame(() => { // the section has a size by then
    const shown = board.getBoundingClientRect().width;
    place();
    if (shown > 0 && narrow) middle(30 * map.columns / shown);
  });
};
akin.showDuplicates = (section, doubled, tools) => {
  const { noun, el, number, plural, card, summary } = tools;
  if (section.childElementCount) return;
  if (!doubled) {
    section.replaceChildren(el("div", { class: "heading" }, el("h1", {}, "Duplicates")), el("div", { class: "empty" }, el("strong", {}, "There are no duplicates"),
      summary.collapsed ? `No ${noun} is similar enough to another to be left out.` : `No neighbour has a score of 1. akin neighbors --collapse-duplicates S finds ${noun}s with a score of S or more.`));
    return;
  }
  const set = ([kept, members, rows]) => el("article", { class: rows.length > 3 ? "set large" : "set" },
    el("div", { class: "heading" }, el("h2", {}, `${number(members + 1)} look the same`), members > rows.length && el("p", { class: "quiet" }, `the first ${number(rows.length + 1)} are shown`)),
    el("ul", { class: "grid small" }, [kept, ...rows].map((row, i) => { const node = card(row); if (i === 0) node.classList.add("kept"); return node; })));
  const SETS = innerWidth < 640 ? 9 : 24, flow = el("div", { class: "sets" }), more = el("button", { type: "button", class: "more" });
  let shown = 0;
  function next() { // appends a page of sets
    flow.append(...doubled.shown.slice(shown, shown + SETS).map(set));
    shown = Math.min(shown + SETS, doubled.shown.length);
    more.hidden = shown === doubled.shown.length;
    more.textContent = `Show more: ${number(shown)} of ${plural(doubled.shown.length, "set")} are shown`;
  }
  more.addEventListener("click", next);
  next();
  section.replaceChildren(
    el("div", { class: "heading" }, el("h1", {}, "Duplicates"), el("p", { class: "quiet" }, `${plural(doubled.sets, "set")} of ${noun}s that look the same, ${plural(doubled.items + doubled.sets, noun)} in all; the largest sets first`), el("a", { href: "duplicates.csv", download: "duplicates.csv" }, "All as CSV")),
    el("p", { class: "quiet" }, doubled.collapsed ? `Framed: the ${noun} of each set that is recommended; the others are not.` : `Framed: the first ${noun} of each set that is available. With akin neighbors --collapse-duplicates only one of a set is recommended.`),
    flow, more);
};
