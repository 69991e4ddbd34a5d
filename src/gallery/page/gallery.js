/* The gallery's pages. The data lies in files of its own that call akin.summary, akin.index and akin.list, since a page
 * opened from a folder may load scripts but fetch nothing. Text from the catalogue only ever becomes text nodes and
 * attributes. Rows are the items and after them, of a table between two catalogues, the targets that stand in their lists; of a table
 * between products rows are products, on either side, each with pictures of its own. The address says what is shown: "#ID" an item, "#target:ID" a target, "#?page=2&category=hats&q=ab" items, "#?figures" figures, "#?changes" what changed, "#?beside&page=2" two tables,
 * "#?map" a map, "#?duplicates" what looks the same. */
"use strict";
const akin = (() => {
  const PAGE = 60; // items on a page
  const data = { ids: [], lower: [], category: [], facts: [], unavailable: new Set(), missing: new Set(), lists: new Map(), pictures: [] };
  const scripts = new Map();
  const scrolled = new Map(); // address -> how far down it was left
  let summary = null, total = 0, noun = "item", changed = null, compared = null, mapped = null, doubled = null, rows = null, others = null, shown = [], said = "", explain = (item) => item, lastItems = "#?", address = location.hash, followed = false, turn = 0;

  // --- small helpers ---
  const $ = (id) => document.getElementById(id);
  function el(name, attributes, ...children) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {}))
      if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value === true ? "" : value);
    node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
    return node;
  }
  const number = (value) => Number(value).toLocaleString("en");
  const plural = (n, word) => `${number(n)} ${word}${n === 1 ? "" : "s"}`;
  const percent = (share) => (share === null || share === undefined ? "–" : `${Number((share * 100).toFixed(1))} %`);
  /* Two digits (three for a share of random pairs), and more if these would read 1: only identical items show 1. */
  function scoreText(score) {
    const least = summary.calibrated ? 3 : 2;
    return score.toFixed([least, 3, 4, 5, 6].find((n) => score === 1 || Number(score.toFixed(n)) < 1) || 6);
  }
  /* Figures in rows of the same length on a wide screen, at most seven in each. */
  function tiles(list) {
    const node = el("div", { class: "tiles" }, list);
    node.style.setProperty("--across", Math.ceil(list.length / Math.ceil(list.length / 7)));
    return node;
  }
  const boosted = () => /(^| )boost=|(^| )damp-hubs=yes/.test(summary.options || "");
  const padded = (n, width) => String(n).padStart(width, "0");
  const isTarget = (row) => row >= summary.items;
  const sideName = (row) => (isTarget(row) ? summary.targets_name : summary.items_name);
  const linkTo = (row) => (isTarget(row) ? "#target:" : "#") + encodeURIComponent(data.ids[row]);
  const categoryName = (row) => summary.categories[data.category[row]] ?? "";
  const nouns = () => (noun === "item" ? "Items" : "Products");
  function spread(folder, n, ending) { // at most 1,000 files in a folder
    return `${folder}/${padded(Math.floor(n / 1000), 3)}/${padded(n, 6)}${ending}`;
  }
  function problem(text) {
    console.error(text);
    $("problem").textContent = text;
    $("problem").hidden = false;
  }
  function load(path) {
    if (!scripts.has(path))
      scripts.set(path, new Promise((resolve, reject) => {
        const node = el("script", { src: path });
        node.onload = () => { node.remove(); resolve(); };
        node.onerror = () => { scripts.delete(path); reject(new Error(`${path} is missing: copy the whole folder of the gallery`)); };
        document.head.append(node);
      }));
    return scripts.get(path);
  }

  // --- data: called by the scripts in data/ ---
  function takeIndex(first, part) {
    part.id.forEach((id, i) => {
      data.ids[first + i] = id;
      data.lower[first + i] = id.toLowerCase();
      data.category[first + i] = part.category[i];
    });
    (part.facts || []).forEach((facts, i) => { data.facts[first + i] = facts; }); // what rules choose by
    part.unavailable.forEach((i) => data.unavailable.add(first + i));
    part.missing.forEach((i) => data.missing.add(first + i));
    (part.pictures || []).forEach((list, i) => { // of a product: [{number, id}]; its ids are found too
      const own = data.pictures[first + i] = [];
      for (let p = 0; p < list.length; p += 2) own.push({ number: list[p], id: list[p + 1] });
      data.lower[first + i] += own.map(({ id }) => "\n" + id.toLowerCase()).join("");
    });
  }
  function takeList(first, part) {
    part.forEach((entry, i) => data.lists.set(first + i, { group: entry[0], neighbors: entry[1], scores: entry[2], real: entry[1].length - entry[3], times: entry[4], by: entry[5], attributes: entry[6], pinned: entry[7], pairs: entry[8] }));
  }
  async function listOf(row) {
    await load(spread("data/lists", Math.floor(row / summary.list_size), ".js"));
    return data.lists.get(row);
  }
  /* Of an item, or of the product that one of whose pictures has this id. */
  function rowOf(id) {
    if (!rows) {
      rows = new Map();
      data.pictures.forEach((own, row) => own.forEach((picture) => rows.set(picture.id, row)));
      for (let row = 0; row < summary.items; row++) rows.set(data.ids[row], row);
    }
    return rows.get(id);
  }
  function targetOf(id) {
    others = others || new Map(data.ids.slice(summary.items).map((name, at) => [name, summary.items + at]));
    return others.get(id);
  }

  // --- parts of a page ---
  /* number: one of the pictures of a product, else its first. */
  function picture(row, eager, number) {
    const none = () => el("span", { class: "none" }, "no picture"), own = data.pictures[row];
    const at = own ? number ?? own.find((one) => one.number >= 0)?.number ?? -1 : isTarget(row) ? row - summary.items : row;
    if (own ? at < 0 : data.missing.has(row)) return none();
    const image = el("img", { src: spread(summary.home + (isTarget(row) ? "targets" : "pictures"), at, ".jpg"), alt: data.ids[row], loading: eager ? "eager" : "lazy", decoding: "async" });
    image.onerror = () => image.replaceWith(none());
    return image;
  }
  /* What a product's picture is called. */
  const pictureId = (row, number) => data.pictures[row]?.find((one) => one.number === number)?.id;
  /* As many digits as others of the column have, such as two of prices; from 100,000 on, a file has fewer. */
  function valueText(name, value) {
    if (typeof value !== "number") return value.replaceAll("|", ", ");
    return value.toLocaleString("en", { minimumFractionDigits: (Math.abs(value) < 1e5 && summary.decimals[name]) || 0 });
  }
  /* pair: of products, [row, its picture, the picture of this one]: the two that are most alike. marks: says of which catalogue it is. */
  function card(row, score, fill, pin, { pair, marks } = {}) {
    const away = data.unavailable.has(row);
    return el("li", {},
      el("a", { class: "card" + (away ? " away" : ""), href: linkTo(row), title: data.ids[row], "data-id": data.ids[row] },
        el("div", { class: "tile" }, picture(row, false, pair && pair[2] >= 0 ? pair[2] : undefined),
          pair && pair[1] >= 0 && data.pictures[pair[0]].length + data.pictures[row].length > 2 && el("span", { class: "with", title: `Most similar pictures: ${pictureId(pair[0], pair[1]) ?? ""} and ${pictureId(row, pair[2]) ?? ""}` }, picture(pair[0], false, pair[1])),
          marks && summary.targets > 0 && el("span", { class: "side" + (isTarget(row) ? " target" : "") }, sideName(row)),
          away && el("span", { class: "flag" }, "not available"),
          fill && el("span", { class: "flag fill", title: "Added because of its category, not its similarity" }, "fill"),
          pin && el("span", { class: "flag fill", title: "Pinned by hand" }, "pinned")),
        score !== undefined && el("div", { class: "meter" }, bar(score)),
        el("div", { class: "text" },
          el("span", { class: "name", title: data.ids[row] }, data.ids[row]),
          data.facts[row] && el("span", { class: "ruled" }, Object.entries(data.facts[row]).map(([key, value]) => el("span", {}, `${key} ${valueText(key, value)}`))),
          el("span", { class: "under" },
            el("span", { class: "category", title: categoryName(row) || null }, categoryName(row)),
            score !== undefined && el("span", { class: "score", title: `score ${score}` }, scoreText(score))))));
  }
  function bar(score) {
    const node = el("span", {});
    node.style.width = `${Math.max(0, Math.min(1, score)) * 100}%`;
    return node;
  }
  function pages(page, last, address_of) {
    const wanted = new Set([1, 2, page - 1, page, page + 1, last - 1, last].filter((p) => p >= 1 && p <= last));
    const nodes = [];
    let before = 0;
    const step = (text, p, rel) => p >= 1 && p <= last ? el("a", { href: address_of(p), rel }, text) : el("span", { class: "off", "aria-hidden": "true" }, text);
    for (const p of [...wanted].sort((a, b) => a - b)) {
      if (p > before + 1) nodes.push(el("span", { class: "gap", "aria-hidden": "true" }, "…"));
      nodes.push(p === page ? el("span", { "aria-current": "page" }, number(p)) : el("a", { href: address_of(p) }, number(p)));
      before = p;
    }
    return el("nav", { class: "pages", "aria-label": "Pages" }, step("‹ Back", page - 1, "prev"), nodes, step("Next ›", page + 1, "next"));
  }

  function gonePicture(id) { // of an item that has no row any more, if the gallery before had one
    const at = changed ? changed.gone_ids.indexOf(id) : -1, none = () => el("span", { class: "none" }, "no picture");
    if (at < 0 || !changed.gone_pictures.includes(at)) return none();
    const image = el("img", { src: spread("pictures/gone", at, ".jpg"), alt: id, loading: "lazy", decoding: "async" });
    image.onerror = () => image.replaceWith(none());
    return image;
  }
  function goneCategory(id) {
    return changed?.gone_categories[changed.gone_ids.indexOf(id)] ?? "";
  }
  function gone(id, score) { // an item of the table before that has no row any more
    return el("li", {}, el("span", { class: "card away", "data-id": id, title: id },
      el("div", { class: "tile" }, gonePicture(id), el("span", { class: "flag" }, "gone")), score !== undefined && el("div", { class: "meter" }, bar(score)),
      el("div", { class: "text" }, el("span", { class: "name", title: id }, id),
        el("span", { class: "under" }, el("span", { class: "category", title: goneCategory(id) || null }, goneCategory(id)), score !== undefined && el("span", { class: "score" }, scoreText(score))))));
  }

  // --- views ---
  function itemsAddress(q, category, page, side) {
    const words = new URLSearchParams();
    if (side) words.set("side", side);
    if (q) words.set("q", q);
    if (category) words.set("category", category);
    if (page > 1) words.set("page", page);
    return "#?" + words.toString();
  }
  /* side "targets": among those; else among the items, and where something is searched for among both. */
  function find(q, category, side) {
    const wanted = q.toLowerCase(), index = category ? summary.categories.indexOf(category) : -1;
    const first = [], rest = [], end = side === "targets" || wanted ? total : summary.items;
    for (let row = side === "targets" ? summary.items : 0; row < end; row++) {
      if (category && data.category[row] !== index) continue;
      const at = wanted ? data.lower[row].indexOf(wanted) : 0;
      if (at === 0) first.push(row);
      else if (at > 0) rest.push(row);
    }
    return first.concat(rest); // ids that begin so come before those that hold it
  }
  function showItems(words) {
    const q = words.get("q") || "", category = words.get("category") || "", side = summary.targets && words.get("side") === "targets" ? "targets" : "";
    shown = find(q, category, side);
    const last = Math.max(1, Math.ceil(shown.length / PAGE));
    const page = Math.min(last, Math.max(1, parseInt(words.get("page"), 10) || 1));
    const from = (page - 1) * PAGE, part = shown.slice(from, from + PAGE);
    if (document.activeElement !== $("search")) $("search").value = q;
    $("category").value = category;
    lastItems = itemsAddress(q, category, page, side);
    const all = summary.targets ? (side ? summary.targets_name : summary.items_name) : `All ${noun}s`;
    const title = q ? `${nouns()} with “${q}”` : category || all;
    const range = shown.length > PAGE ? `${number(from + 1)}–${number(from + part.length)} of ${number(shown.length)}` : plural(shown.length, noun);
    $("items").replaceChildren(
      el("div", { class: "heading" }, el("h1", {}, title), el("p", { class: "quiet", id: "found", "aria-live": "polite" }, q && category ? `${range} in ${category}` : range)),
      summary.targets ? sides(q, category, side) : "",
      part.length ? el("ul", { class: "grid" }, part.map((row) => card(row, undefined, false, false, { marks: q !== "" })))
                  : el("div", { class: "empty" }, el("strong", {}, "Nothing found"), q ? `No ${noun}'s id contains this. ` : "There is none here. ", el("a", { href: "#?" }, `Show all ${noun}s`)),
      last > 1 ? pages(page, last, (p) => itemsAddress(q, category, p, side)) : "");
    return title;
  }
  /* The two catalogues: whose items have lists, and whose stand in them. */
  function sides(q, category, side) {
    const link = (which, name, count, words) => el("a", { href: itemsAddress(q, category, 1, which), "aria-current": which === side && !q ? "true" : null }, el("b", {}, name), el("span", {}, `${plural(count, noun)}, ${words}`));
    return el("nav", { class: "sides-of", id: "sides", "aria-label": "Catalogues" }, link("", summary.items_name, summary.items, "each with a list"), link("targets", summary.targets_name, summary.targets, "what the lists hold"));
  }
  function besides(row, step) {
    const at = shown.indexOf(row), low = isTarget(row) ? summary.items : 0, high = isTarget(row) ? total : summary.items;
    const next = at < 0 ? row + step : shown[at + step];
    return at >= 0 ? (next === undefined ? null : linkTo(next)) : next >= low && next < high ? linkTo(next) : null;
  }
  /* All pictures of a product, the one that is shown large first. */
  function allPictures(row, first) {
    const own = data.pictures[row];
    if (!own || own.length < 2) return "";
    const order = [...own].sort((a, b) => (b.id === first) - (a.id === first));
    return el("ul", { class: "pictures", id: "pictures", "aria-label": "Its pictures" }, order.map((one) => el("li", {}, el("div", { class: "tile" }, picture(row, true, one.number)), el("span", { title: one.id }, one.id))));
  }
  /* Why a list has fewer than k. */
  function shortBy(list) {
    const others = summary.targets || summary.items - 1;
    if (list.real >= summary.k) return "";
    return ` of ${number(summary.k)}${list.real >= others ? ": there are no others" : said ? ": no others pass the rules" : ""}`;
  }
  /* named: the picture of a product that the address names. */
  function about(row, list, named) {
    const away = data.unavailable.has(row), name = categoryName(row);
    const facts = [["Category", name || "none"], ["Group", list.group || "none"], ["Available", away ? "no" : "yes"], ...Object.entries(list.attributes).map(([key, value]) => [key, valueText(key, value)])];
    if (summary.targets) facts.unshift(["Catalogue", sideName(row)]);
    if (data.pictures[row]) facts.push(["Pictures", number(data.pictures[row].length)]);
    if (!isTarget(row)) facts.push([`Similar ${noun}s`, number(list.real) + shortBy(list)]);
    if (list.real < list.neighbors.length) facts.push(["Fill", number(list.neighbors.length - list.real)]);
    if (list.real) facts.push(["Best score", scoreText(Math.max(...list.scores.slice(0, list.real)))]);
    if (!summary.targets || isTarget(row)) facts.push(["Recommended", list.times ? `in ${plural(list.times, "list")}` : "never"]);
    return el("article", { class: "about" + (away ? " away" : "") },
      el("div", { class: "tile" }, picture(row, true, data.pictures[row]?.find((one) => one.id === named)?.number)),
      allPictures(row, named),
      el("div", { class: "facts" },
        el("h1", { id: "item-id" }, data.ids[row]),
        el("div", { class: "chips" },
          name && el("a", { class: "chip", href: itemsAddress("", name, 1, isTarget(row) ? "targets" : ""), title: "Show this category" }, name),
          away && el("span", { class: "chip warn" }, "not available"),
          summary.product_url && el("a", { class: "chip", id: "product", href: summary.product_url.replaceAll("{id}", encodeURIComponent(data.ids[row])), target: "_blank", rel: "noopener" }, "Open in the shop ↗")),
        el("dl", {}, facts.map(([key, value]) => [el("dt", {}, key), el("dd", {}, value)]))));
  }
  /* The items that recommend this one. */
  function recommenders(list) {
    if (!list.by.length) return "";
    return [el("div", { class: "heading", id: "by-heading" }, el("h2", {}, "Recommended by"),
      el("p", { class: "quiet" }, list.times > list.by.length ? `${number(list.by.length)} of ${plural(list.times, "list")} that contain it, those in which it ranks best first` : plural(list.times, noun) + (summary.targets ? ` of ${summary.items_name}` : ""))),
      el("ul", { class: "grid small", id: "by" }, list.by.map((other) => card(other)))];
  }
  /* What the order of a list means, and its scores. */
  function explained(list) {
    const fill = list.neighbors.length - list.real, words = [];
    if (list.pinned) words.push(`${list.pinned === 1 ? "the first, marked “pinned”, was" : `the first ${number(list.pinned)}, marked “pinned”, were`} put there by hand, whatever the score`);
    if (list.real > list.pinned) words.push((list.pinned ? "then " : "") + (summary.diverse ? `in the order they were chosen: similar to the ${noun}, but different from those before, so scores need not decrease` : boosted() ? "in the order of score and boosts, so scores need not decrease" : "best first"));
    if (list.real) words.push(summary.calibrated ? "a score is the share of random pairs that are less similar" : "1.00 is identical");
    if (fill) words.push(`${list.real ? `the last ${number(fill)}, marked “fill”,` : "all, marked “fill”,"} were added because they are typical of the ${noun}'s category, whatever their scores`);
    return words.join("; ");
  }
  function neighborsOf(row, list) {
    const pair = (i) => list.pairs && [row, ...list.pairs[i]];
    return [el("div", { class: "heading" }, el("h2", {}, summary.targets ? `Most similar of ${summary.targets_name}` : `Most similar ${noun}s`),
      said ? el("p", { class: "rules", id: "rules", title: akin.settings(summary.options) }, `Rules of this table: ${said}`) : "",
      list.neighbors.length ? el("p", { class: "quiet", id: "order" }, explained(list)) : ""),
    list.neighbors.length ? el("ul", { class: "grid", id: "neighbors" }, list.neighbors.map((other, i) => explain(card(other, list.scores[i], i >= list.real, i < list.pinned, { pair: pair(i) }), row, other, i)))
      : el("div", { class: "empty" }, el("strong", {}, `No similar ${noun}s`), summary.targets ? `No ${noun} of ${summary.targets_name} satisfies the rules and the minimum score of this table.` : `No other ${noun} satisfies the rules and the minimum score of this table.`)];
  }
  /* Of what stands in lists but has none. */
  function asTarget(list) {
    return list.by.length ? recommenders(list) : el("div", { class: "empty" }, el("strong", {}, "In no list"), `No ${noun} of ${summary.items_name} has it among its first ${number(summary.k)}. The ${noun}s of ${summary.targets_name} have no lists in this table.`);
  }
  async function showItem(id, mine) {
    const of_target = id.startsWith("target:"), row = of_target && rowOf(id) === undefined ? targetOf(id.slice("target:".length)) : rowOf(id);
    if (of_target && (row === undefined || isTarget(row))) id = id.slice("target:".length);
    if (row === undefined) {
      $("item").replaceChildren(el("div", { class: "empty" }, el("strong", {}, `There is no ${noun} “${id}”${of_target && summary.targets ? ` in ${summary.targets_name}` : ""}`),
        el("a", { href: itemsAddress(id, "", 1) }, "Search for it"), " or ", el("a", { href: "#?" }, `show all ${noun}s`)));
      return "Not found";
    }
    const list = await listOf(row);
    if (mine !== turn) return null; // the user has moved on meanwhile
    const before = besides(row, -1), after = besides(row, 1);
    $("item").replaceChildren(
      el("nav", { class: "crumbs", "aria-label": "Position" },
        el("a", { href: lastItems, id: "back" }, `← Back to the ${noun}s`),
        el("span", {}, before && el("a", { href: before, rel: "prev" }, `‹ Previous ${noun}`), after && el("a", { href: after, rel: "next" }, `Next ${noun} ›`))),
      el("div", { class: "item" }, about(row, list, id), el("div", {}, isTarget(row) ? "" : neighborsOf(row, list), isTarget(row) ? asTarget(list) : recommenders(list))));
    return data.ids[row];
  }

  async function show() {
    const mine = ++turn, words = location.hash.startsWith("#?") || location.hash.length < 2 ? new URLSearchParams(location.hash.slice(2)) : null;
    const view = !words ? "item" : words.has("figures") ? "figures" : ["changes", "beside", "map", "duplicates"].find((name) => words.has(name)) || "items";
    let title;
    if (view === "item") {
      let id = location.hash.slice(1);
      try { id = decodeURIComponent(id); } catch (error) { /* a bare % in a hand-written link */ }
      title = await showItem(id, mine);
    } else if (view === "changes") {
      title = "What changed";
      await akin.changes($("changes"), summary, changed, { noun, el, number, plural, percent, card, gone, listOf, tiles });
    } else if (view === "beside") {
      title = "Side by side";
      await akin.showBeside($("beside"), compared, parseInt(words.get("page"), 10), { noun, el, number, plural, percent, card, gone, listOf, pages, summary, data });
    } else if (view === "map" || view === "duplicates") {
      title = view === "map" ? "Map" : "Duplicates";
      akin[view === "map" ? "showMap" : "showDuplicates"]($(view), view === "map" ? mapped : doubled, { noun, el, number, plural, percent, card, picture, linkTo, categoryName, itemsAddress, data, summary });
    } else title = view === "figures" ? "Figures" : showItems(words);
    if (mine !== turn) return;
    for (const name of ["items", "item", "map", "duplicates", "changes", "beside", "figures"]) $(name).hidden = name !== view;
    $("to-items").toggleAttribute("aria-current", view === "items" || view === "item");
    for (const name of ["map", "duplicates", "changes", "beside", "figures"]) $(`to-${name}`).toggleAttribute("aria-current", view === name);
    const current = document.querySelector(".views [aria-current]"); // on a phone the row of views scrolls sideways
    if (current) current.parentNode.scrollLeft = current.offsetLeft - (current.parentNode.clientWidth - current.offsetWidth) / 2;
    document.title = `${title} · Similar items`;
    scrollTo(0, followed ? 0 : scrolled.get(location.hash) || 0);
    followed = false;
  }

  // --- user input ---
  function listen() {
    let timer = 0;
    const search = () => { followed = true; location.hash = itemsAddress($("search").value.trim(), $("category").value, 1); };
    $("search").addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(search, 150); });
    $("category").addEventListener("change", () => {
      $("category").blur();
      if (!$("map").hidden && akin.filterMap) akin.filterMap($("category").value);
      else search();
    });
    $("tools").addEventListener("submit", (event) => {
      event.preventDefault();
      clearTimeout(timer);
      const q = $("search").value.trim(), found = find(q, $("category").value, "");
      const exact = q && rowOf(q) !== undefined ? rowOf(q) : found.length === 1 ? found[0] : -1;
      if (exact >= 0) { followed = true; location.hash = linkTo(exact); } else search();
    });
    document.addEventListener("click", (event) => { if (event.target.closest('a[href^="#"]')) followed = true; });
    $("skip").addEventListener("click", (event) => { event.preventDefault(); followed = false; $("main").focus(); });
    document.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest("input, select, textarea")) return;
      const rel = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
      const link = rel ? document.querySelector(`main section:not([hidden]) a[rel=${rel}]`) : event.key === "Escape" ? $("back") : null;
      if (event.key === "/") { event.preventDefault(); $("search").select(); }
      else if (link && link.offsetParent) link.click();
    });
    document.addEventListener("scroll", () => scrolled.set(address, scrollY), { passive: true });
    addEventListener("hashchange", () => { offerTables(); address = location.hash; show().catch((error) => problem(error.message)); });
    history.scrollRestoration = "manual";
  }
  function fillCategories() {
    const counts = new Array(summary.categories.length).fill(0);
    data.category.slice(0, summary.items).forEach((index) => { if (index >= 0) counts[index]++; });
    summary.categories.forEach((name, i) => $("category").append(el("option", { value: name }, `${name} (${number(counts[i])})`)));
    $("category").closest("label").hidden = summary.categories.length === 0;
    return counts;
  }
  /* The same view of another table: links that follow the address. */
  function offerTables() {
    const nav = $("tables");
    if (summary.tables.length < 2) return;
    let hash = location.hash;
    try { hash = hash.length > 1 && !hash.startsWith("#?") ? "#" + encodeURIComponent(data.pictures[rowOf(decodeURIComponent(hash.slice(1)))]?.[0]?.id ?? "") : hash; } catch (error) { /* as it is */ }
    if (hash === "#") hash = location.hash; // a product is what any of its pictures is in another table
    nav.replaceChildren(...summary.tables.map((name) => el("a", { href: `${summary.home}${name === "main" ? "" : `tables/${name}/`}index.html${hash}`, "data-table": name, "aria-current": name === summary.table ? "true" : null }, name)));
    nav.hidden = false;
  }
  async function start(given) {
    summary = given;
    total = summary.items + summary.targets;
    noun = summary.products ? "product" : "item";
    $("to-items").textContent = nouns();
    const parts = [];
    for (let part = 0; part * summary.index_size < total; part++) parts.push(load(spread("data/index", part, ".js")));
    if (summary.against) parts.push(load("data/changes.js"));
    if (summary.beside) parts.push(load("data/beside.js"));
    if (summary.placed) parts.push(load("data/map.js"));
    if (summary.duplicates) parts.push(load("data/duplicates.js"));
    await Promise.all([load("figures.js"), load("changes.js"), load("map.js"), load("beside.js"), load("why.js"), load("rules.js"), ...parts]);
    said = akin.rules(summary.options, noun);
    explain = akin.why({ noun, el, data, listOf, categoryName, scoreText, valueText, summary, load, spread, pictureId, boosted });
    $("to-map").hidden = !summary.placed;
    $("to-beside").hidden = !summary.beside;
    $("to-duplicates").hidden = !summary.duplicates;
    $("night").textContent = $("night").title = summary.name || "";
    $("foot").textContent = `${summary.name ? summary.name + " · " : ""}made by akin ${summary.version} from table ${summary.table_digest.slice(0, 12)}`;
    akin.figures($("figures"), summary, { noun, el, number, plural, percent, tiles, counts: fillCategories(), itemsAddress, card });
    listen();
    offerTables();
    await show();
    document.documentElement.dataset.ready = "yes";
  }
  return {
    summary: (given) => start(given).catch((error) => problem(error.message)),
    index: takeIndex,
    list: takeList,
    changed: (given) => { changed = given; },
    beside: (given) => { compared = given; },
    map: (given) => { mapped = given; },
    duplicates: (given) => { doubled = given; },
    /* The options of a table without those that are off. */
    settings: (options) => (options || "").split(" ").filter((word) => !/^([a-z-]+=no|min-score=-1)$/.test(word)).join(" "),
  };
})();
