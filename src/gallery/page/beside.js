/* Two tables side by side: the items whose lists differ most, in pages, and which list is better. The choices stay in the browser;
 * as CSV (id,neighbor) they are what akin evaluate --golden reads. */
"use strict";
akin.showBeside = (section, other, wanted, tools) => {
  const { noun, el, number, plural, percent, card, gone, listOf, pages, summary, data } = tools;
  const SHOWN = 12, PAIRS = innerWidth < 1000 ? 3 : 4; // neighbours of a list, items on a page: a few screens
  if (!other) {
    section.replaceChildren(el("div", { class: "heading" }, el("h1", {}, "Side by side")),
      el("div", { class: "empty" }, el("strong", {}, "There is no table to compare with"), "akin gallery A.nc --beside B.nc shows two tables with different settings, models or nights."));
    return Promise.resolve();
  }
  const key = `akin-beside-${summary.table_digest}-${other.digest}`;
  try { akin.votes = akin.votes || JSON.parse(localStorage.getItem(key)); } catch (error) { /* a browser that keeps nothing */ }
  const votes = akin.votes = akin.votes || {};
  const last = Math.max(1, Math.ceil(other.lists.length / PAIRS)), page = Math.min(last, Math.max(1, wanted || 1));
  const shown = other.lists.slice((page - 1) * PAIRS, page * PAIRS), lists = new Map(); // row -> its list in this table

  const field = (text) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  /* The neighbours of the lists that are better. */
  function csv() {
    const lines = ["id,neighbor"];
    other.lists.forEach(([row, , theirs]) => {
      const vote = votes[data.ids[row]];
      const good = vote === "A" ? lists.get(row).neighbors.slice(0, SHOWN).map((at) => data.ids[at]) : vote === "B" ? theirs.map(([id]) => id) : [];
      for (const id of good) lines.push(`${field(data.ids[row])},${field(id)}`);
    });
    return lines.join("\n") + "\n";
  }
  async function fill() {
    const needed = other.lists.filter((entry) => shown.includes(entry) || votes[data.ids[entry[0]]]);
    await Promise.all(needed.map(async ([row]) => lists.set(row, await listOf(row))));
    const told = el("p", { class: "quiet", id: "votes", "aria-live": "polite" }), save = el("a", { class: "more", id: "votes-csv", download: "golden.csv" }, "Save as CSV");
    function tell() {
      const count = (which) => other.lists.filter(([row]) => votes[data.ids[row]] === which).length;
      told.textContent = `Of ${plural(other.lists.length, noun)}: A is better for ${number(count("A"))}, B for ${number(count("B"))}, equal for ${number(count("="))}`;
      save.href = "data:text/csv;charset=utf-8," + encodeURIComponent(csv());
      save.hidden = count("A") + count("B") === 0;
    }
    function choice(id) {
      const buttons = [["A", "A is better"], ["=", "Equal"], ["B", "B is better"]].map(([which, text]) => {
        const button = el("button", { type: "button", class: "more", "data-vote": which, "aria-pressed": votes[id] === which ? "true" : "false" }, text);
        button.addEventListener("click", () => {
          if (votes[id] === which) delete votes[id]; else votes[id] = which;
          try { localStorage.setItem(key, JSON.stringify(votes)); } catch (error) { /* it lasts while the page is open */ }
          for (const one of buttons) one.setAttribute("aria-pressed", one.dataset.vote === votes[id] ? "true" : "false");
          tell();
        });
        return button;
      });
      return el("div", { class: "choice", role: "group", "aria-label": `Which list of ${id} is better` }, buttons);
    }
    function pair([row, share, theirs]) {
      const list = lists.get(row), mine = list.neighbors.slice(0, SHOWN), in_mine = new Set(mine), in_theirs = new Set(theirs.map(([, at]) => at));
      const mark = (node, different) => { if (different) node.classList.add("different"); return node; };
      const column = (title, cards) => el("div", {}, el("h3", {}, title), cards.length ? el("ul", { class: "grid small" }, cards) : el("p", { class: "quiet" }, "none"));
      return el("article", { class: "pair", "data-id": data.ids[row] },
        el("div", { class: "heading" }, el("ul", { class: "grid small one" }, card(row)), el("div", {}, el("p", { class: "quiet" }, `${percent(share)} of its neighbours differ`), choice(data.ids[row]))),
        el("div", { class: "sides" },
          column("A", mine.map((at, i) => mark(card(at, list.scores[i], i >= list.real), !in_theirs.has(at)))),
          column("B", theirs.map(([id, at, score, fill]) => mark(at < 0 ? gone(id, score) : card(at, score, fill), !in_mine.has(at))))));
    }
    const settings = (name, file, words) => [el("dt", {}, name), el("dd", {}, el("b", {}, file), el("br", {}), el("span", { class: "quiet" }, words))];
    section.replaceChildren(
      el("div", { class: "heading" }, el("h1", {}, "Side by side"), el("p", { class: "quiet" }, `${number(other.changed)} of ${plural(summary.items, "list")} differ, ${percent(other.churn)} of the neighbours; the most different lists first; ${summary.k > SHOWN ? `the first ${SHOWN} of each; ` : ""}framed: ${noun}s that are not in the other list`)),
      el("dl", { class: "settings" }, settings("A", "this table", akin.settings(summary.options)), settings("B", summary.beside, akin.settings(other.settings))),
      el("div", { class: "heading" }, told, save),
      shown.length ? el("div", {}, shown.map(pair)) : el("div", { class: "empty" }, el("strong", {}, "No list differs")),
      last > 1 ? pages(page, last, (p) => `#?beside&page=${p}`) : "");
    tell();
  }
  return fill();
};
