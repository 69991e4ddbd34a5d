/* What changed since the previous table, and how a storefront reads a list. */
"use strict";
akin.changes = (section, summary, changed, tools) => {
  const { noun, el, number, plural, percent, card, gone, listOf, tiles } = tools;

  /* Where the job publishes, or placeholders. */
  function storefront() {
    const url = (summary.published || []).map((place) => place.url).find((u) => u && u.startsWith("redis"));
    const name = url && (url.match(/[?&]catalog=([^&]+)/) || [])[1] || "NAME";
    const [, kind, place] = url && url.match(/^(rediss?):\/\/(?:[^@/]*@)?([^@?]+)/) || [null, "redis", "HOST"]; // without user and password
    const server = `${kind}://${place}`, item = noun;
    const lines = [
      ["redis-cli", `redis-cli -u ${server} HGET akin:${name} ${item.toUpperCase()}`],
      ["Python", `import json, redis\nsimilar = json.loads(redis.from_url("${server}").hget("akin:${name}", ${item}))`],
      ["Node", `const client = await require("redis").createClient({ url: "${server}" }).connect();\nconst similar = JSON.parse(await client.hGet("akin:${name}", ${item}));`],
    ];
    return [el("div", { class: "heading" }, el("h2", {}, "For the storefront"), el("p", { class: "quiet" }, `a list of [id, score], ${summary.diverse ? "in the order they were chosen" : "best first"}, with one command per page view`)),
      el("dl", { class: "code" }, lines.map(([title, text]) => [el("dt", {}, title), el("dd", {}, el("pre", {}, text))]))];
  }
  function numbers() {
    const list = [[`${noun}s previously`, number(changed.before)], [`${noun}s now`, number(summary.items)], ["new", number(changed.new)], ["gone", number(changed.gone)],
      ["lists changed", number(changed.changed)], ["churn", percent(changed.churn)]];
    if (changed.withdrawn) list.push(["no longer available", number(changed.withdrawn)]);
    if (changed.back) list.push(["available again", number(changed.back)]);
    if (changed.model) list.push(["another model", "yes"]);
    return tiles(list.map(([title, value]) => el("div", { class: "number" }, el("b", {}, value), el("span", {}, title))));
  }
  const SHOWN = 12, PAIRS = innerWidth < 1000 ? 2 : 4; // neighbours of a list, and lists shown at first: a few screens
  function nights() {
    const when = [changed.made_before, changed.made].filter(Boolean);
    const date = (text) => el("span", { class: "date" }, text);
    return when.length === 2 ? ["from the table of ", date(when[0]), " to that of ", date(when[1])] : "";
  }
  const heading = (title, note) => el("div", { class: "heading" }, el("h2", {}, title), note && el("p", { class: "quiet" }, note));
  const first = (shown, all) => (shown < all ? `the first ${number(shown)} of ${number(all)}` : plural(all, noun));

  /* One item: its list before, and as it is now. */
  function pair([row, share, before], list) {
    const now = list.neighbors.slice(0, SHOWN);
    const kept = new Set(now), was = new Set(before.map(([, at]) => at));
    const column = (title, cards) => el("div", {}, el("h3", {}, title), cards.length ? el("ul", { class: "grid small" }, cards) : el("p", { class: "quiet" }, "none"));
    const mark = (node, different) => { if (different) node.classList.add("different"); return node; };
    return el("article", { class: "pair" },
      el("div", { class: "heading" }, el("ul", { class: "grid small one" }, card(row)), el("p", { class: "quiet" }, `${percent(share)} of its neighbours changed`)),
      el("div", { class: "sides" },
        column("Before", before.map(([id, at, score, fill]) => mark(at < 0 ? gone(id, score) : card(at, score, fill), !kept.has(at)))),
        column("Now", now.map((at, i) => mark(card(at, list.scores[i], i >= list.real), !was.has(at))))));
  }
  async function fill() {
    if (!changed) {
      section.replaceChildren(el("div", { class: "heading" }, el("h1", {}, "What changed")),
        el("div", { class: "empty" }, el("strong", {}, "There is no previous table"), "A job with nights (keep = N) compares each night with the previous one; so does akin gallery --against TABLE.nc."), ...storefront());
      return;
    }
    const lists = await Promise.all(changed.lists.map(([row]) => listOf(row)));
    const shown = el("div", { id: "pairs" }, changed.lists.slice(0, PAIRS).map((entry, i) => pair(entry, lists[i])));
    const more = el("button", { type: "button", class: "more", id: "more-pairs" }, `Show ${plural(changed.lists.length - PAIRS, "more list")}`);
    more.hidden = changed.lists.length <= PAIRS;
    more.addEventListener("click", () => { shown.append(...changed.lists.slice(PAIRS).map((entry, i) => pair(entry, lists[i + PAIRS]))); more.hidden = true; });
    const fold = (title, note, content) => el("details", { class: "fold" }, el("summary", {}, title, el("span", { class: "quiet" }, note)), content);
    section.replaceChildren(el("div", { class: "heading" }, el("h1", {}, "What changed"), el("p", { class: "quiet", id: "nights" }, nights())), numbers(), ...[
      changed.lists.length ? [heading("Lists most changed", `${summary.k > SHOWN ? `the first ${SHOWN} of each list; ` : ""}framed: ${noun}s that are not in the other list`), shown, more] : [],
      changed.new ? [fold("New", first(changed.new_rows.length, changed.new), el("ul", { class: "grid small", id: "new" }, changed.new_rows.map((row) => card(row))))] : [],
      changed.gone ? [fold("Gone", first(changed.gone_ids.length, changed.gone), el("ul", { class: "grid small", id: "gone" }, changed.gone_ids.map((id) => gone(id))))] : [],
      [el("p", {}, el("a", { href: "changes.csv", download: "changes.csv" }, "All changes as CSV"))],
      storefront()].flat());
  }
  return fill();
};
