"""Tables (Markdown) and plots (SVG) of the results of bench_quality.py.

usage: quality_report.py quality.json... [--out DIR] [--plots NAME] [--beside WAY...] [--brief | --overview]
Tables go to stdout, plots to DIR/NAME-<set>.svg; several files are read as one. The first table shows by how much the default
exceeds the best other way for each label; ways named by --beside are listed separately, since they are the product's own. --brief
omits the tables by category. --overview: instead, one table and one plot of all sets, DIR/NAME-overview.svg: the default, what it was
before, and the best other way, as median and range of the seeds, with core seconds per 1,000 pictures.
Elsewhere a figure is the mean over the seeds, followed by the spread (half the difference between maximum and minimum) if there are several.
Bold: the best way of the column.
"""

import argparse
import json
import os
import statistics

WIDE, ROW, LEFT, TOP = 760, 18, 190, 46


def cells(results, pick):
    """"mean ± spread" and the mean of pick(result) over the seeds."""
    values = [pick(r) for r in results]
    values = [v for v in values if v is not None]
    if not values:
        return "-", None
    mean, spread = sum(values) / len(values), (max(values) - min(values)) / 2
    return f"{mean:.3f}" + (f" ± {spread:.3f}" if len(values) > 1 else ""), mean


def table(head, rows):
    """rows: [name, (text, value), ...]; the best value of each column is bold."""
    columns = list(zip(*[row[1:] for row in rows]))
    best = [max((v for _, v in column if v is not None), default=None) for column in columns]
    print("| " + " | ".join(head) + " |\n" + "|---" * len(head) + "|")
    for row in rows:
        texts = [f"**{t}**" if v is not None and v == b else t for (t, v), b in zip(row[1:], best)]
        print("| " + " | ".join([row[0], *texts]) + " |")
    print()


def grouped(results):
    """{set: {way: [result of each seed]}}, in the order of the file."""
    sets = {}
    for r in results:
        sets.setdefault(r["set"], {}).setdefault(r["way"], []).append(r)
    return sets


def summary(name, ways):
    first = next(iter(ways.values()))[0]
    labels = list(first["labels"])
    seeds = max(len(r) for r in ways.values())
    print(f"### {name}: {first['items']} pictures, {seeds} seed{'s' if seeds > 1 else ''}\n")
    head = ["vectors", "d", *[f"{n} p@10" for n in labels], f"{labels[0]} p@1", f"{labels[0]} p@5", f"{labels[0]} mAP@20",
            "original first", "seconds"]
    rows = []
    for way, results in ways.items():
        main = [cells(results, lambda r, m=m: r["labels"][labels[0]][m]) for m in ("p1", "p5", "map")]
        seconds = sum(r["seconds"] for r in results) / len(results)
        rows.append([way, (str(results[0]["dim"]), None), *[cells(results, lambda r, n=n: r["labels"][n]["p10"]) for n in labels],
                     *main, cells(results, lambda r: r["near"]), (f"{seconds:.0f}", None)])
    table(head, rows)


def bar(sets, beside):
    """The default against the best other way, label by label, and the mean over the sets."""
    print("### The default against the best other way: precision@10\n")
    print("| set | label | default | best other way | its figure | default / that |" + "".join(f" default / {b} |" for b in beside))
    print("|---" * (6 + len(beside)) + "|")
    means = []
    for name, ways in sets.items():
        ratios = []
        for label in next(iter(ways.values()))[0]["labels"]:
            found = {way: cells(results, lambda r: r["labels"][label]["p10"])[1] for way, results in ways.items()}
            best = max((w for w in found if w not in ("default", *beside)), key=found.get)
            ratios.append(found["default"] / found[best])
            print(f"| {name} | {label} | {found['default']:.3f} | {best} | {found[best]:.3f} | {ratios[-1]:.3f} |"
                  + "".join(f" {found['default'] / found[b]:.3f} |" if b in found else " - |" for b in beside))
        means.append(sum(ratios) / len(ratios))
    print(f"\nMean over the sets (of each the mean of its labels): {sum(means) / len(means):.3f}\n")


def by_category(name, ways, most=24):
    """precision@10 of each value of the first label, for each way; of the first seed."""
    first = next(iter(ways.values()))[0]
    label = next(iter(first["labels"]))
    values = first["labels"][label]["values"][:most]
    print(f"By {label}, precision@10, first seed:\n")
    rows = [[way, *[(f"{v:.2f}", v) for v in results[0]["labels"][label]["by"][:most]]] for way, results in ways.items()]
    table(["vectors", *values], rows)


def text(x, y, words, anchor="start", weight="normal"):
    words = words.replace("&", "&amp;").replace("<", "&lt;")
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-weight="{weight}">{words}</text>'


def plot(path, name, ways):
    """One bar per way and label: precision@10, with a mark from the minimum to the maximum over the seeds."""
    labels = list(next(iter(ways.values()))[0]["labels"])
    high = TOP + len(labels) * (len(ways) * ROW + 26)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDE}" height="{high}" font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDE}" height="{high}" fill="white"/>', text(12, 22, f"{name}: precision@10", weight="bold")]
    scale, y = WIDE - LEFT - 70, TOP
    for label in labels:
        out.append(text(12, y + 4, label, weight="bold"))
        y += 12
        for way, results in ways.items():
            found = [r["labels"][label]["p10"] for r in results]
            mean = sum(found) / len(found)
            colour = "#c2410c" if way == "default" else "#64748b"
            out.append(text(LEFT - 8, y + 12, way, "end"))
            out.append(f'<rect x="{LEFT}" y="{y + 2}" width="{mean * scale:.1f}" height="{ROW - 5}" fill="{colour}"/>')
            out.append(f'<path d="M{LEFT + min(found) * scale:.1f} {y + 8}H{LEFT + max(found) * scale:.1f}" stroke="black"/>')
            out.append(text(f"{LEFT + max(found) * scale + 6:.1f}", y + 12, f"{mean:.3f}"))
            y += ROW
        y += 14
    with open(path, "w") as f:
        f.write("\n".join([*out, "</svg>", ""]))


def core_of(results):
    """Seconds of a core for 1,000 pictures: to train all there is to train, and to embed; "-" where it was not measured."""
    if "core_embed" not in results[0]:
        return "-"
    fit, embed = (statistics.median(1000 * r[n] / r["items"] for r in results) for n in ("core_train", "core_embed"))
    return f"{fit:.2g} + {embed:.2g}"


def middle(results, pick):
    """Median over the seeds, and a text of it with the range."""
    values = [pick(r) for r in results]
    value = statistics.median(values)
    apart = f"{min(values):.3f}" != f"{max(values):.3f}"
    return value, f"{value:.3f}" + (f" ({min(values):.3f} to {max(values):.3f})" if apart else "")


def overview_rows(sets):
    """(set, label, {way: results}, {way: (median, text)}, best other way) for each label. Compared is what was measured with the
    seeds that a way has."""
    for name, ways in sets.items():
        for label in next(iter(ways.values()))[0]["labels"]:
            found = {way: middle(results, lambda r: r["labels"][label]["p10"]) for way, results in ways.items()}
            others = [w for w in found if w not in ("default", "before", "without labels")]
            yield name, label, ways, found, max(others, key=lambda w: found[w][0])


def overview(sets, path):
    """One table to stdout and one plot: a row per set and label, a dot per way, a line over the seeds of the default."""
    print("| set | label | before | default | best other kind | its figure | default / that | original first: before | default "
          "| seconds of a core: before | default |\n" + "|---" * 11 + "|")
    rows = list(overview_rows(sets))
    high, scale = TOP + 24 + len(rows) * ROW, WIDE - LEFT - 40
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDE}" height="{high}" font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDE}" height="{high}" fill="white"/>',
           text(12, 22, "precision@10: red the default, grey the default before, blue the best other kind", weight="bold")]
    for n, (name, label, ways, found, best) in enumerate(rows):
        before, now, other = (found[w][0] for w in ("before", "default", best))
        near = " | ".join(middle(ways[w], lambda r: r["near"])[1] for w in ("before", "default"))
        core = " | ".join(core_of(ways[w]) for w in ("before", "default"))
        print(f"| {name} | {label} | {before:.3f} | {found['default'][1]} | {best} | {other:.3f} | {now / other:.3f} | {near} | {core} |")
        y = TOP + n * ROW
        out.append(text(LEFT - 8, y + 4, f"{name}: {label}", "end"))
        out.append(f'<path d="M{LEFT} {y}H{LEFT + scale}" stroke="#e2e8f0"/>')
        for value, colour in ((other, "#2563eb"), (before, "#64748b"), (now, "#c2410c")):
            out.append(f'<circle cx="{LEFT + value * scale:.1f}" cy="{y}" r="5" fill="{colour}"/>')
        seeds = [r["labels"][label]["p10"] for r in ways["default"]]
        out.append(f'<path d="M{LEFT + min(seeds) * scale:.1f} {y}H{LEFT + max(seeds) * scale:.1f}" stroke="black"/>')
    out += [text(f"{LEFT + v / 10 * scale:.1f}", high - 8, f"{v / 10}", "middle") for v in range(0, 11, 2)]
    with open(path, "w") as f:
        f.write("\n".join([*out, "</svg>", ""]))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("figures", nargs="+")
    p.add_argument("--out")
    p.add_argument("--plots", default="quality")
    p.add_argument("--beside", nargs="*", default=["handcrafted"])
    p.add_argument("--brief", action="store_true")
    p.add_argument("--overview", action="store_true")
    a = p.parse_args()
    results = {}
    for path in a.figures:
        with open(path) as f:
            for r in json.load(f)["results"]:
                results[r["set"], r["way"], r["seed"]] = r
    sets = grouped(results.values())
    if a.overview:
        overview(sets, os.path.join(a.out or ".", f"{a.plots}-overview.svg"))
        return
    if all("default" in ways for ways in sets.values()):
        bar(sets, a.beside)
    for name, ways in sets.items():
        summary(name, ways)
        if not a.brief:
            by_category(name, ways)
        if a.out:
            os.makedirs(a.out, exist_ok=True)
            plot(os.path.join(a.out, f"{a.plots}-{name}.svg"), name, ways)


main()
