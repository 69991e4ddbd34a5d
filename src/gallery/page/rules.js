/* A table's rules in plain words. */
"use strict";
akin.rules = (options, noun) => {
  /* "k=10 same=gender boost=\"price=0.2 stock=1\"" as [name, value] pairs, without what is off. */
  const words = (akin.settings(options).match(/(?:[^\s"]|"[^"]*")+/g) || []).map((word) => word.replaceAll('"', "")).map((word) => [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)]);
  const split = (text) => [text.slice(0, text.indexOf("=")), text.slice(text.indexOf("=") + 1)];
  /* "0.5..2x": times this one's own number; "-10..10": more than it. */
  function within(text) {
    const [name, band] = split(text), times = band.endsWith("x"), [low, high] = band.replace(/x$/, "").split("..").map(Number);
    if (times) return `${name} ${low === 0 ? "at most" : `${low} to`} ${high} times this one's`;
    const away = (x) => (x < 0 ? `${-x} less` : `${x} more`);
    return low === -high ? `${name} at most ${high} more or less than this one's` : `${name} from ${away(low)} to ${away(high)} than this one's`;
  }
  /* Several values of one attribute: any of them. */
  function only(text, at) {
    const [name] = split(text), same = words.filter(([other, value]) => other === "only" && split(value)[0] === name);
    return same[0] === words[at] ? `only ${name} ${same.map(([, value]) => split(value)[1]).join(" or ")}` : null;
  }
  const said = {
    "same-category": () => "same category", "exclude-same-group": () => "another group", "only-available": () => "in stock only",
    "min-score": (text) => `score at least ${text}`, same: (text) => `same ${text}`, different: (text) => `another ${text}`, within,
    "at-most": (text) => `at most ${split(text)[1]} of one ${split(text)[0]}`,
    only, not: (text) => `not ${split(text).join(" ")}`,
    boost: (text) => `ranking boosted by ${text.split(" ").map((one) => `${split(one)[0]} (${split(one)[1]})`).join(", ")}`,
    "damp-hubs": () => `${noun}s that are in many lists ranked lower`, categories: (file) => `categories as in ${file}`,
    pins: (file) => `pinned ones of ${file} first`, blocks: (file) => `none that ${file} bars`, by: (kind) => (kind === "group" ? "between products" : null),
    against: (file) => `from ${file}`, aspect: (parts) => `compared by ${parts.replaceAll(",", ", ")} alone`,
    diversity: (lambda) => `chosen for variety (${lambda})`, "collapse-duplicates": (score) => `one of each set of duplicates (score ${score} or more)`,
    fill: (kind) => (kind === "category" ? "short lists filled from the category" : null),
  };
  return words.map(([name, text], at) => said[name]?.(text, at)).filter(Boolean).join(", ");
};
