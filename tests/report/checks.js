() => {
  // What automatic checkers of accessibility find, as far as these pages can go wrong.
  const found = [];
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const seen = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: false });
  const note = (what, element) => found.push(`${what}: ${element.outerHTML.slice(0, 120)}`);

  if (!document.documentElement.lang) found.push("no lang");
  if (!document.title) found.push("no title");
  if (all("main").length !== 1) found.push("not one main");

  let level = 0;
  for (const heading of all("h1, h2, h3, h4, h5, h6")) {
    const next = Number(heading.tagName[1]);
    if (next > level + 1) note("heading level skipped", heading);
    if (!heading.textContent.trim()) note("empty heading", heading);
    level = next;
  }

  const ids = all("[id]").map((element) => element.id);
  for (const id of new Set(ids.filter((one, place) => ids.indexOf(one) !== place))) found.push(`id ${id} twice`);
  for (const link of all('a[href^="#"]')) {
    if (!document.getElementById(link.hash.slice(1))) note("link leads nowhere", link);
    if (!link.textContent.trim()) note("link without words", link);
  }
  for (const image of all("img")) if (!image.alt) note("no alt", image);

  const name = (element) =>
    (element.getAttribute("aria-label") || [...(element.labels || [])].map((one) => one.textContent).join("") ||
      element.textContent).trim();
  for (const element of all("button")) if (!name(element)) note("no name of button", element);
  for (const element of all("select")) if (!element.labels.length) note("no name of select", element);
  for (const element of all("[role=group], nav")) if (!element.getAttribute("aria-label")) note("no label", element);
  for (const element of all("nav, [role=region]")) {
    const label = element.getAttribute("aria-label");
    if (all("nav, [role=region]").filter((one) => one.getAttribute("aria-label") === label).length > 1) {
      note("two landmarks of one name", element);
    }
  }

  for (const table of all("table:not(.output table)")) {
    if (!table.caption || !table.caption.textContent.trim()) note("no caption", table);
    for (const cell of all("th", table)) if (!cell.scope) note("th without scope", cell);
    if (new Set([...table.tBodies[0].rows].map((row) => row.cells.length)).size > 1) note("ragged rows", table);
    for (const sorted of all("[aria-sort]", table)) {
      if (!["ascending", "descending"].includes(sorted.getAttribute("aria-sort"))) note("aria-sort", sorted);
    }
  }

  for (const element of all("*")) {
    const style = getComputedStyle(element);
    const scrolls = ["auto", "scroll"].includes(style.overflowX) && element.scrollWidth > element.clientWidth + 1;
    if (scrolls && seen(element) && element.tabIndex < 0) note("scrolls, but not from the keyboard", element);
    if (element.tabIndex > 0) note("tabindex above 0", element);
  }

  // Contrast of text with what lies behind it: 4.5 : 1, large text 3 : 1 (WCAG 2.2, 1.4.3).
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const light = (colour) =>
    colour.slice(0, 3).reduce((sum, value, i) => {
      const part = value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4;
      return sum + part * [0.2126, 0.7152, 0.0722][i];
    }, 0);
  const path = (element) => (element ? [...path(element.parentElement), element] : []);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const checked = new Set();
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || checked.has(element) || !seen(element)) continue;
    if (element.closest("script, style, select, .unseen")) continue;
    checked.add(element);
    let paper = [255, 255, 255, 1];
    let opacity = 1;
    for (const one of path(element)) {
      const style = getComputedStyle(one);
      paper = over(rgba(style.backgroundColor), paper);
      opacity *= Number(style.opacity);
    }
    const style = getComputedStyle(element);
    const ink = rgba(style.color);
    const shown = over([ink[0], ink[1], ink[2], ink[3] * opacity], paper);
    const [high, low] = [light(shown), light(paper)].sort((a, b) => b - a);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < (large ? 3 : 4.5)) note(`contrast ${ratio.toFixed(2)}`, element);
  }
  return found;
}
