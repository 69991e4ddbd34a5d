/* The figures of the job: numbers, rejects, stages, and the charts, drawn as SVG. */
"use strict";
akin.figures = (section, summary, tools) => {
  const { noun, el, number, plural, percent, tiles, counts, itemsAddress, card } = tools;
  const Nouns = noun === "item" ? "Items" : "Products";
  const phone = innerWidth < 520; // a chart is drawn as wide as it is shown, so that its letters can be read
  const WIDTH = phone ? 340 : 640, HEIGHT = phone ? 220 : 250, LEFT = 62, RIGHT = 14, TOP = 14, BOTTOM = 42, MARKS = phone ? 4 : 8;

  function svg(name, attributes, ...children) {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children.flat(Infinity));
    return node;
  }
  /* Round tick values that cover [low, high]. */
  function marks(low, high, wanted) {
    const span = high - low || Math.abs(high) || 1, power = 10 ** Math.floor(Math.log10(span / wanted));
    const step = [1, 2, 5, 10].map((m) => m * power).find((s) => span / s <= wanted) || span;
    const found = [];
    for (let i = Math.floor(low / step + 1e-9); i * step <= high + step * (1 - 1e-9); i++) found.push(Number((i * step).toPrecision(12)));
    return found;
  }
  const short = (value) => Math.abs(value) >= 1e4 ? value.toLocaleString("en", { notation: "compact" }) : value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(0) : number(value);

  /* The frame of a chart: grid lines and ticks of both axes, and the scales. */
  function frame(label, xs, ys, x_title, y_title, shown = short) {
    const x = (v) => LEFT + (v - xs.low) / (xs.high - xs.low) * (WIDTH - LEFT - RIGHT);
    const y = (v) => HEIGHT - BOTTOM - (v - ys.low) / (ys.high - ys.low) * (HEIGHT - BOTTOM - TOP);
    const chart = svg("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label });
    for (const v of ys.marks)
      chart.append(svg("line", { class: "rule", x1: LEFT, x2: WIDTH - RIGHT, y1: y(v), y2: y(v) }), svg("text", { x: LEFT - 8, y: y(v) + 4, "text-anchor": "end" }, short(v)));
    for (const v of xs.marks) chart.append(svg("text", { x: x(v), y: HEIGHT - BOTTOM + 17, "text-anchor": "middle" }, shown(v)));
    chart.append(svg("text", { x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 6, "text-anchor": "middle" }, x_title),
      svg("text", { x: 13, y: (TOP + HEIGHT - BOTTOM) / 2, "text-anchor": "middle", transform: `rotate(-90 13 ${(TOP + HEIGHT - BOTTOM) / 2})` }, y_title));
    return { chart, x, y };
  }
  /* Scores are on a scale from -1 to 1; as a share of random pairs they crowd at 1, so their bins say of how many pairs one is more
     similar: six powers of ten. */
  const scale = summary.calibrated ? { low: 0, high: 6, show: (v) => number(Math.round(10 ** v)), title: "one random pair in so many is more similar" }
    : { low: -1, high: 1, show: (v) => v.toFixed(2), title: "score" };
  function histogram(label, bins, y_title) {
    let first = bins.findIndex((n) => n > 0), last = bins.length - 1;
    if (first < 0) return null;
    while (bins[last] === 0) last--;
    const edge = (i) => scale.low + (scale.high - scale.low) * i / bins.length;
    first = Math.max(0, Math.min(first, last - 9)); // never a lonely bar across the chart
    const low = edge(first), high = edge(last + 1), tall = marks(0, Math.max(...bins), 4);
    const { chart, x, y } = frame(label, { low, high, marks: marks(low, high, MARKS).filter((v) => v >= low - 1e-9 && v <= high + 1e-9 && (!summary.calibrated || Number.isInteger(v))) },
      { low: 0, high: tall[tall.length - 1], marks: tall }, scale.title, y_title, summary.calibrated ? scale.show : short);
    const bars = svg("g", { class: "bars" });
    for (let i = first; i <= last; i++) {
      if (bins[i] === 0) continue;
      bars.append(svg("rect", { x: x(edge(i)) + 0.75, y: y(bins[i]), width: Math.max(1, x(edge(i + 1)) - x(edge(i)) - 1.5), height: Math.max(1, y(0) - y(bins[i])), rx: 1.5 },
        svg("title", {}, `${scale.show(edge(i))} to ${scale.show(edge(i + 1))}: ${number(bins[i])}`)));
    }
    chart.append(bars);
    return chart;
  }
  /* Lines over the epochs; of a long run each n-th epoch is there, and the last. lines: [{name, values, style}]. */
  function curve(label, lines, epochs, x_title, y_title) {
    for (const line of lines) {
      const stride = Math.max(1, Math.ceil(epochs / line.values.length));
      line.points = line.values.map((v, i) => [Math.min(epochs, (i + 1) * stride), v]).filter(([, v]) => typeof v === "number");
    }
    lines = lines.filter((line) => line.points.length);
    if (lines.length === 0) return null;
    const heights = lines.flatMap((line) => line.points.map(([, v]) => v)), tall = marks(Math.min(...heights), Math.max(...heights), 5);
    const last = Math.max(2, epochs), top = tall[tall.length - 1];
    const { chart, x, y } = frame(label, { low: 1, high: last, marks: marks(1, last, MARKS).filter((v) => v >= 1 && v <= last && Number.isInteger(v)) },
      { low: tall[0], high: top > tall[0] ? top : tall[0] + 1, marks: tall }, x_title, y_title);
    for (const line of lines) {
      const points = line.points.map(([i, v]) => `${x(i).toFixed(2)},${y(v).toFixed(2)}`).join(" ");
      chart.append(svg("polyline", { class: `curve ${line.style}`, points }));
      if (line.points.length <= 60)
        for (const [i, v] of line.points) chart.append(svg("circle", { class: `dot ${line.style}`, cx: x(i), cy: y(v), r: 3.5 }, svg("title", {}, `${line.name}, epoch ${i}: ${v.toPrecision(5)}`)));
    }
    return lines.length > 1 ? [el("p", { class: "legends" }, lines.map((line) => el("span", { class: "legend" }, el("i", { class: `line ${line.style}` }), line.name))), chart] : chart;
  }

  const tile = (value, name, words) => el("div", { class: "number" }, el("b", {}, value), el("span", {}, name), el("small", {}, words));
  const panel = (title, words, ...content) => content[0] && el("section", { class: "panel" }, el("h2", {}, title), words && el("p", {}, words), content);
  const cell = (value) => el("td", { class: "count" }, value);
  const head = (...names) => el("thead", {}, el("tr", {}, names.map((name, i) => el("th", i > 0 ? { class: "count" } : {}, name))));
  /* A table that sorts by a click on a column's name. columns: [{name, of: entry -> number or text, show: entry -> cell}]; sorted: by which one,
     the largest (of text the first) on top. Of more than `most` rows the rest is shown on demand. */
  function sortable(columns, entries, sorted, most) {
    const body = el("tbody", {}), cells = columns.map((column, i) => el("th", i > 0 ? { class: "count" } : {}, el("button", { type: "button" }, column.name)));
    const more = el("button", { type: "button", class: "more" });
    let by = sorted, down = true, all = entries.length <= most + 3;
    function draw() {
      const value = columns[by].of, order = [...entries].sort((a, b) => {
        const x = value(a), y = value(b), less = typeof x === "string" ? (x < y ? -1 : x > y ? 1 : 0) : y - x;
        return (down ? less : -less) || (columns[0].of(a) < columns[0].of(b) ? -1 : 1);
      });
      body.replaceChildren(...order.slice(0, all ? order.length : most).map((entry) => el("tr", {}, columns.map((column) => column.show(entry)))));
      cells.forEach((cell, i) => i === by ? cell.setAttribute("aria-sort", (typeof value(entries[0]) === "string") === down ? "ascending" : "descending") : cell.removeAttribute("aria-sort"));
      more.hidden = all;
      more.textContent = `Show all ${number(entries.length)}`;
    }
    cells.forEach((cell, i) => cell.firstChild.addEventListener("click", () => { down = by === i ? !down : true; by = i; draw(); }));
    more.addEventListener("click", () => { all = true; draw(); });
    draw();
    return [el("div", { class: "wide" }, el("table", {}, el("thead", {}, el("tr", {}, cells)), body)), more];
  }
  function share(part, whole) {
    const node = el("div", { class: "share" });
    node.style.width = `${100 * part / whole}%`;
    return node;
  }

  function numbers() {
    const found = [tile(number(summary.items), summary.targets ? `${noun}s of ${summary.items_name}` : `${noun}s`, summary.unavailable ? `${number(summary.unavailable)} of them not available` : "all of them available")];
    if (summary.targets) found.push(tile(number(summary.targets), `${noun}s of ${summary.targets_name}`, `the ${noun}s in the lists`));
    if (summary.products) found.push(tile(number(summary.pictures), "pictures", `of these products; two products have the score of ${/(^| )pictures=mean( |$)/.test(summary.options || "") ? "their pictures on average" : "their most similar pictures"}`));
    if (summary.rejects) found.push(tile(number(summary.rejects.total), "rejected", "pictures or rows that could not be used"));
    found.push(tile(percent(summary.coverage), "coverage", `${noun}s that have at least one similar ${noun}`),
      tile(percent(summary.full_coverage), "full lists", `${noun}s that have all ${number(summary.k)}`));
    for (const [n, value] of Object.entries(meaningless ? {} : summary.precision || {}))
      if (value !== null) found.push(tile(percent(value), `precision at ${n}`, n === "1" ? `first neighbours that have the ${noun}'s category; by chance ${percent(summary.chance)}` : `share of the first ${n} neighbours that have the ${noun}'s category${n > summary.k ? `; lists have ${number(summary.k)}, so at most ${percent(summary.k / n)}` : ""}`));
    if (!meaningless && typeof summary.average_precision === "number") found.push(tile(percent(summary.average_precision), "mean average precision", "correct neighbours count more the higher they rank"));
    if (summary.duplicates) found.push(tile(number(summary.duplicates), "duplicates", summary.collapsed ? `${summary.targets ? `${noun}s of ${summary.targets_name}` : `${noun}s`} for which another one is recommended` : `${noun}s that look like another one`));
    if (summary.filled) found.push(tile(number(summary.filled), "filled", `neighbours added only because of their category, in ${plural(summary.filled_items, "list")}`));
    if (summary.churn !== null) found.push(tile(percent(summary.churn), "churn", "neighbours that changed since the previous table"));
    if (typeof summary.hub_share === "number") found.push(tile(percent(summary.hub_share), "hub share", `of all recommendations are of the 1 % of ${summary.targets ? `${noun}s of ${summary.targets_name}` : `${noun}s`} that are recommended most`));
    const barred = summary.not_recommendable, never = summary.never_recommended - barred, why = [summary.only_available && "not available", summary.collapsed && "duplicates"].filter(Boolean).join(", ");
    found.push(tile(number(never), "never recommended", `${summary.targets ? `${noun}s of ${summary.targets_name}` : `${noun}s`} that are in no list, ${percent(never / (summary.targets || summary.items))}; ${number(summary.at_most_once - barred)} are in one or none${barred ? `; besides, ${number(barred)} cannot be recommended (${why})` : ""}`));
    if (summary.missing) found.push(tile(number(summary.missing), "without a picture", "their pictures could not be read for this page"));
    return tiles(found);
  }
  /* Categories whose lists are not what a shop expects. */
  function alarms() {
    const list = summary.outliers || [];
    if (!list.length) return null;
    const words = (o) => [
      el("a", { href: itemsAddress("", o.category, 1) }, o.category), ` (${plural(o.items, noun)}${o.new ? ", new since the previous table" : ""}): `,
      [o.leaves && `${percent(o.leaving / o.items)} of its lists have no ${noun} of the category${o.instead ? `, mostly “${o.instead}” instead` : ""}`,
        o.far && `its ${noun}s are far from everything: half of them have a best score below ${o.best.toFixed(2)}, while 95 % of the other ${noun}s have one above ${o.others.toFixed(2)}`].filter(Boolean).join("; ")];
    const node = panel("Categories to check", `${number(summary.leaving)} of ${plural(summary.listed, "list")} have no ${noun} of the ${noun}'s category. In the categories below that is true of most lists, or the ${noun}s resemble no others, as in a department that the model has never seen.`,
      el("ul", {}, list.map((o) => el("li", {}, words(o)))));
    node.classList.add("alarm");
    node.id = "alarms";
    return node;
  }
  function rejects() {
    if (!summary.rejects) return null;
    if (summary.rejects.total === 0) return panel("Rejects", null, el("p", { class: "quiet" }, "All rows of the source were accepted."));
    return panel("Rejects", `${plural(summary.rejects.total, "row")} of the source did not become an item; rejects.csv lists them.`,
      el("div", { class: "wide" }, el("table", {}, head("Reason", "Rows"), el("tbody", {}, summary.rejects.reasons.map((r) =>
        el("tr", {}, el("td", {}, r.reason, share(r.count, summary.rejects.total), el("small", { class: "quiet" }, "such as " + r.examples.join(", "))), cell(number(r.count))))))));
  }
  /* What a vector is made of, where this job trained. */
  function parts() {
    if (!summary.parts || !summary.parts.length) return null;
    const squares = summary.parts.map((p) => p.weight * p.weight), all = squares.reduce((a, b) => a + b, 0);
    return panel("Parts of a vector", "How much each part counts in a cosine, before parts are joined. " + (typeof summary.weights_chosen === "string" ? summary.weights_chosen + "." : ""),
      el("table", {}, head("Part", "Columns", "Share"), el("tbody", {}, summary.parts.map((p, i) => el("tr", {}, el("td", {}, p.name, share(squares[i], all)), cell(number(p.columns)), cell(percent(squares[i] / all)))))));
  }
  function stages() {
    if (!summary.stages.length) return null;
    return panel("Stages", "Time and rate of each stage of the job.", el("table", {}, head("Stage", "Seconds", "Rate"), el("tbody", {}, summary.stages.map((s) => {
      if (s.night) return el("tr", {}, el("td", {}, s.verb, " ", el("small", { class: "quiet" }, `not run; its output of ${s.night} is used`)), cell("–"), cell("–"));
      return el("tr", {}, el("td", {}, s.verb), cell(s.seconds === null ? "–" : s.seconds < 0.005 ? "< 0.01" : s.seconds.toFixed(s.seconds < 1 ? 2 : s.seconds < 100 ? 1 : 0)),
        cell(s.rate === null ? "–" : `${s.rate.toLocaleString("en", { maximumFractionDigits: s.rate < 10 ? 1 : 0 })} ${s.unit}`));
    }))));
  }
  function categories() {
    if (!summary.categories.length) return null;
    const entries = summary.categories.map((name, i) => [name, counts[i]]), most = Math.max(...counts);
    return panel("Categories", null, sortable([
      { name: "Category", of: (e) => e[0], show: ([name, n]) => el("td", {}, el("a", { href: itemsAddress("", name, 1) }, name), share(n, most)) },
      { name: Nouns, of: (e) => e[1], show: ([, n]) => cell(number(n)) }], entries, 1, 20));
  }
  /* [name, items, at 1, at 10, average]; if the rules fix the category of all neighbours, a precision says nothing. */
  const meaningless = /(^| )(same-category=yes|same=category|different=category)( |$)/.test(summary.options || "");
  const measured = meaningless ? [] : summary.by_category.filter((entry) => entry[1] > 1);
  const missed = ([, items, , , average]) => items * (1 - average), SMALL = 20;
  const enough = measured.filter((entry) => entry[1] >= SMALL), large = enough.length ? enough : measured; // of a small catalogue all are
  const small = measured.filter((entry) => !large.includes(entry));
  const table = (entries) => sortable([
    { name: "Category", of: (e) => e[0], show: ([name, , , , average]) => el("td", {}, el("a", { href: itemsAddress("", name, 1) }, name), share(average, 1)) },
    { name: Nouns, of: (e) => e[1], show: (e) => cell(number(e[1])) },
    { name: "at 1", of: (e) => e[2], show: (e) => cell(percent(e[2])) },
    { name: "at 10", of: (e) => e[3], show: (e) => cell(percent(e[3])) },
    { name: "mean average", of: (e) => e[4], show: (e) => cell(percent(e[4])) },
    { name: "missing", of: missed, show: (e) => cell(number(Math.round(missed(e)))) }], entries, 5, 12);
  function precision() {
    if (measured.length < 2) return null;
    const apart = small.length && el("details", { class: "fold" }, el("summary", {}, "Small categories", el("span", { class: "quiet" }, `${number(small.length)} with fewer than ${SMALL} ${noun}s, whose figures mean little`)), table(small));
    return panel("Precision by category", `How many of the neighbours have the ${noun}'s category. Missing: the number of ${noun}s times 1 minus the mean average precision, that is, where most could be gained. Click on a column's name to sort.`,
      table(large), apart || "");
  }
  function weakest() {
    const worst = [...large].sort((a, b) => missed(b) - missed(a) || (a[0] < b[0] ? -1 : 1)).slice(0, 3);
    if (worst.length < 2) return null;
    return panel("Most to gain", `The categories with the most under “missing”. That grows with the size of a category, so a large one may be here though its precision is high. Below each, the ${noun}s whose lists have the fewest ${noun}s of the category.`, worst.map((entry) => [
      el("h3", {}, el("a", { href: itemsAddress("", entry[0], 1) }, entry[0]), ` ${number(Math.round(missed(entry)))} missing: ${plural(entry[1], noun)}, mean average precision ${percent(entry[4])}`),
      el("ul", { class: "grid small" }, summary.worst[summary.categories.indexOf(entry[0])].map((row) => card(row)))]));
  }
  section.replaceChildren(el("div", { class: "heading" }, el("h1", {}, "The job's figures"), el("p", { class: "quiet" }, [summary.name, akin.settings(summary.options)].filter(Boolean).join(" · "))), alarms() || "", numbers(),
    el("div", { class: "panels" }, [
      panel("Scores", (summary.calibrated ? `How similar ${noun}s and their neighbours are, over all lists, as the share of random pairs that are less similar.` : `How similar ${noun}s and their neighbours are, over all lists: 1 is identical, 0 means nothing in common.`) + (summary.filled ? " Filled neighbours are included." : ""), histogram("Histogram of all scores", summary.histogram.all, "neighbours")),
      panel(`Best score of each ${noun}`, `How similar the most similar ${noun} is.`, histogram("Histogram of the best scores", summary.histogram.best, `${noun}s`)),
      panel("Training curve", "The network's reconstruction error after each epoch; lower is better.", curve("Training curve", [{ name: "training", values: summary.curve, style: "first" }, { name: "held-out pictures", values: summary.holdout_curve, style: "second" }], summary.epochs, "epoch", "loss")),
      summary.contrast_curve && panel("Agreement of views", "The contrastive loss after each epoch: how hard it is to recognise two views of the same picture among many; lower is better. Held-out pictures may be fewer than those of a batch, which alone makes their loss lower: compare each line with its own beginning.", curve("Agreement of views", [{ name: "training", values: summary.contrast_curve, style: "first" }, { name: "held-out pictures", values: summary.holdout_contrast_curve, style: "second" }], summary.epochs, "epoch", "loss")),
      summary.redrawn > 0 && panel("Reconstructions", "Above: pictures as the network sees them. Below: its reconstructions from the few numbers of their latent vectors.", el("img", { class: "strip", src: "strip.jpg", alt: `${plural(summary.redrawn, "picture")} and their reconstructions` })),
      precision(), weakest(), parts(), rejects(), stages(), categories()].filter(Boolean)));
};
