/* Why a neighbour stands in a list: its score and what each part of the vectors adds to it, and what each rule of the table says of the
 * two items. Shown beside a card while it is pointed at or has the focus. */
"use strict";
akin.why = (tools) => {
  const { noun, el, data, listOf, categoryName, scoreText, valueText, summary, load, spread, pictureId, boosted } = tools;
  const shares = new Map(), box = el("div", { class: "why", id: "why", role: "tooltip", hidden: true });
  const ranks = new Map(); // row -> [[without rules, without boosts, boost]...]
  let wanted = null, depth = 0;
  document.body.append(box);
  akin.ranks = (first, known, part) => { depth = known; part.forEach((entry, i) => ranks.set(first + i, entry)); };
  akin.shares = (first, part) => part.forEach((entry, i) => shares.set(first + i, entry));

  /* "k=10 same=gender boost=\"price=0.2 stock=1\"" as [name, value] pairs. */
  function words(text) {
    return [...(text || "").matchAll(/([a-z-]+)=("[^"]*"|\S*)/g)].map(([, name, value]) => [name, value.replace(/^"|"$/g, "")]);
  }
  const value = (row, list, name) =>
    name === "category" ? categoryName(row) || undefined : name === "group" ? list.group ?? undefined : name === "available" ? (data.unavailable.has(row) ? "0" : "1") : list.attributes[name];
  const told = (x, name) => (x === undefined ? "none" : valueText(name, x));
  const parts = (x) => String(x).split("|");
  const same = (a, b) => (typeof a === "number" ? a === b : parts(a).some((part) => parts(b).includes(part)));
  const flag = { 1: true, yes: true, true: true, 0: false, no: false, false: false };
  function is(x, name, wish) {
    return x !== undefined && (typeof x === "number" ? Math.fround(Number(wish)) === Math.fround(x) : name === "available" ? flag[wish] === (x === "1") : parts(x).includes(wish));
  }
  function band(a, b, text) {
    const ratio = text.endsWith("x"), [low, high] = text.replace(/x$/, "").split("..").map(Number), ends = ratio ? [low * a, high * a] : [a + low, a + high];
    return b >= Math.min(...ends) && b <= Math.max(...ends);
  }

  /* [what was asked, what the two have, whether it passes; null: the page cannot tell]. */
  function verdict([name, text], a, b, all) {
    const [attribute, wish] = text.includes("=") ? [text.slice(0, text.indexOf("=")), text.slice(text.indexOf("=") + 1)] : [text, ""];
    const x = value(a.row, a.list, attribute), y = value(b.row, b.list, attribute), both = `${told(x, attribute)} → ${told(y, attribute)}`;
    if (name === "same-category") return [name, `${told(value(a.row, a.list, "category"))} → ${told(value(b.row, b.list, "category"))}`, data.category[a.row] >= 0 && data.category[a.row] === data.category[b.row]];
    if (name === "exclude-same-group") return ["another group", "", a.list.group === null || a.list.group !== b.list.group];
    if (name === "only-available") return [name, "", !data.unavailable.has(b.row)];
    if (name === "min-score") return [`score at least ${text}`, "", b.score >= Number(text) - 1e-4];
    if (["same", "different", "within"].includes(name)) {
      const open = x === undefined, asked = `${name} ${text}`;
      if (open || y === undefined) return [asked, both, open];
      return [asked, both, name === "within" ? band(x, y, wish) : same(x, y) === (name === "same")];
    }
    if (name === "only" || name === "not") {
      const named = all.filter(([other, t]) => other === name && t.startsWith(attribute + "=")).some(([, t]) => is(y, attribute, t.slice(attribute.length + 1)));
      return [`${name} ${text}`, told(y, attribute), y !== undefined && named === (name === "only")];
    }
    if (name === "at-most") return [`at most ${wish} of one ${attribute}`, told(y, attribute), null];
    if (name === "boost") return [text.split(" ").map((word) => `boost ${word}`).join(", "), text.split(" ").map((word) => told(value(b.row, b.list, word.split("=")[0]), word.split("=")[0])).join(", "), null];
    if (name === "damp-hubs") return [`${noun}s that are in many lists are ranked lower`, "", null];
    return ["categories", "blocks"].includes(name) ? [name, "", null] : null;
  }
  const off = (name, text) => text === "no" || (name === "min-score" && Number(text) <= -1);

  /* The place that rules and boosts gave it, and that it would have without them. */
  function placed(row, place, filled) {
    const known = ranks.get(row)?.[place];
    if (!known || filled) return "";
    const [bare, unboosted, boost] = known, at = (rank) => (rank ? String(rank) : `beyond ${depth}`);
    return el("p", { class: "ranks" }, [`Rank ${place + 1}`, boosted() && `without boosts\u00a0${at(unboosted)}`, `without rules\u00a0${at(bare)}`].filter(Boolean).join(" · "),
      boosted() && el("span", {}, ` · boost ${boost < 0 ? "−" : "+"}${Math.abs(boost).toFixed(4)}`));
  }

  async function fill(row, other, place) {
    const list = await listOf(row), theirs = await listOf(other), all = words(summary.options).filter(([name, text]) => !off(name, text));
    if (summary.share_parts && summary.share_parts.length) await load(spread("data/why", Math.floor(row / summary.list_size), ".js")).catch(() => {});
    if (summary.ranked) await load(spread("data/ranks", Math.floor(row / summary.list_size), ".js")).catch(() => {});
    const score = list.scores[place], found = shares.get(row)?.[place], mine = found && found.length ? found : null, most = mine ? Math.max(...mine.map(Math.abs), 1) : 1;
    const pair = list.pairs && list.pairs[place], shown = pair && pair[0] >= 0 && (data.pictures[row].length > 1 || data.pictures[other].length > 1);
    const filled = place >= list.real, pinned = place < list.pinned;
    const a = { row, list }, b = { row: other, list: theirs, score };
    const rules = pinned || filled ? [] : all.map((word) => verdict(word, a, b, all)).filter(Boolean);
    box.replaceChildren(
      el("strong", {}, `${place + 1}. ${data.ids[other]}`),
      el("p", {}, `${summary.calibrated ? "Share of pairs less similar" : "Cosine"} ${scoreText(score)}`,
        pinned ? " · pinned: first regardless of rules" : filled ? " · added for its category" : ""),
      shown ? el("p", {}, `Most similar pictures: ${pictureId(row, pair[0])} and ${pictureId(other, pair[1])}`) : "",
      placed(row, place, filled),
      mine && el("dl", { class: "shares" }, summary.share_parts.map((name, p) => {
        const line = el("i", { class: mine[p] < 0 ? "less" : "" });
        line.style.width = `${(Math.abs(mine[p]) / most) * 100}%`;
        return [el("dt", {}, name), el("dd", {}, line, el("span", {}, (mine[p] / 1000).toFixed(2)))];
      })),
      rules.length ? el("ul", {}, rules.map(([asked, has, passes]) =>
        el("li", { class: passes === false ? "fails" : passes ? "passes" : "" }, asked, has && el("span", {}, ` ${has}`)))) : "");
  }
  function put(card) { // beside the card, within the window
    const at = card.getBoundingClientRect(), width = box.offsetWidth, height = box.offsetHeight;
    const left = at.right + width + 12 < innerWidth ? at.right + 8 : at.left - width - 8 > 0 ? at.left - width - 8 : Math.max(8, Math.min(at.left, innerWidth - width - 8));
    const top = left > at.right || left + width < at.left ? at.top : at.bottom + height + 8 < innerHeight ? at.bottom + 6 : at.top - height - 6;
    box.style.left = `${left + scrollX}px`;
    box.style.top = `${Math.max(8, Math.min(top, innerHeight - height - 8)) + scrollY}px`;
  }
  function hide() { wanted = null; box.hidden = true; }
  async function show(card, row, other, place) {
    wanted = card;
    await fill(row, other, place);
    if (wanted !== card || !card.isConnected) return;
    box.hidden = false;
    card.setAttribute("aria-describedby", "why");
    put(card);
  }
  addEventListener("hashchange", hide);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  /* card: of the neighbour `other`, at this place in the list of `row`. */
  return (item, row, other, place) => {
    const card = item.firstElementChild, enter = () => show(card, row, other, place).catch(hide);
    card.removeAttribute("title");
    card.addEventListener("mouseenter", enter);
    card.addEventListener("focus", enter);
    card.addEventListener("mouseleave", hide);
    card.addEventListener("blur", hide);
    return item;
  };
};
