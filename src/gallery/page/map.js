/* The catalogue as a map, and the items that look the same. */
"use strict";
akin.showMap = (section, map, tools) => {
  const { el, number, plural, percent, picture, linkTo, categoryName, itemsAddress, data } = tools;
  if (section.childElementCount) return;
  if (!map) {
    section.replaceChildren(el("div", { class: "heading" }, el("h1", {}, "Map")),
      el("div", { class: "empty" }, el("strong", {}, "There is no map"), "It needs the vectors that the table was made from: akin gallery --embeddings embeddings.nc."));
    return;
  }
  /* The categories with most items on the map have a colour. */
  const counts = new Map();
  for (const [row] of map.items) if (categoryName(row)) counts.set(categoryName(row), (counts.get(categoryName(row)) || 0) + 1);
  const names = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 12).map(([name]) => name);
  const colour = (name) => (names.includes(name) ? `hsl(${Math.round(360 * names.indexOf(name) / names.length)} 70% 45%)` : "var(--line)");
  function legend(name) {
    const dot = el("i", {});
    dot.style.background = colour(name);
    return el("a", { class: "legend", href: itemsAddress("", name, 1) }, dot, name);
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
  const board = el("div", { class: "map" }, map.items.map(spot));
  board.style.aspectRatio = `${map.columns} / ${map.lines}`;
  section.replaceChildren(
    el("div", { class: "heading" }, el("h1", {}, "Map"), el("p", { class: "quiet" }, `${plural(map.items.length, "item")}: who look alike lie near each other`)),
    names.length ? el("p", { class: "legends" }, names.map(legend)) : "", board,
    el("p", { class: "quiet" }, `The first two principal components of ${plural(map.sampled, "vector")}, evenly chosen from the catalogue; they hold ${percent(map.explained[0])} and ${percent(map.explained[1])} of the differences. Pictures are moved apart, so distances are not to scale.`));
};
akin.showDuplicates = (section, doubled, tools) => {
  const { el, number, plural, card, summary } = tools;
  if (section.childElementCount) return;
  if (!doubled) {
    section.replaceChildren(el("div", { class: "heading" }, el("h1", {}, "Duplicates")), el("div", { class: "empty" }, el("strong", {}, "There are no duplicates"),
      summary.collapsed ? "No item is so much like another that it would be left out." : "No neighbour is told to be the very same. akin neighbors --collapse-duplicates S finds items that are S alike or more."));
    return;
  }
  const set = ([kept, members, rows]) => el("article", { class: "pair" },
    el("div", { class: "heading" }, el("h2", {}, `${number(members + 1)} look the same`), members > rows.length && el("p", { class: "quiet" }, `the first ${number(rows.length + 1)} are shown`)),
    el("ul", { class: "grid small" }, [kept, ...rows].map((row, i) => { const node = card(row); if (i === 0) node.classList.add("kept"); return node; })));
  section.replaceChildren(
    el("div", { class: "heading" }, el("h1", {}, "Duplicates"), el("p", { class: "quiet" }, `${plural(doubled.items, "item")} in ${plural(doubled.sets, "set")} look like another one` +
      (doubled.sets > doubled.shown.length ? `; the ${number(doubled.shown.length)} largest sets` : ""))),
    el("p", { class: "quiet" }, doubled.collapsed ? "Framed: the one that is recommended; the others of its set are not." : "Framed: the first of each set. akin neighbors --collapse-duplicates would recommend it alone."),
    ...doubled.shown.map(set));
};
