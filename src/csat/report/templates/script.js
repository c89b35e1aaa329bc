"use strict";
// Sorting and filtering of tables. The page reads the same without it; it holds no data and writes only text.
(() => {
  const words = document.body.dataset;
  const collator = new Intl.Collator(document.documentElement.lang, { numeric: true });
  const fill = (sentence, blanks) => sentence.replace(/\{(\w+)\}/g, (_, name) => blanks[name]);
  const tell = (sentence) => { document.getElementById("status").textContent = sentence; };
  const make = (tag, properties, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };

  // What a cell says without its footnote mark; a figure as it was before rounding. Nothing: undefined.
  const text = (cell) => (cell.firstChild && cell.firstChild.nodeType === Node.TEXT_NODE ? cell.firstChild.data : "");
  const valueOf = (cell) => {
    if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
    return cell.classList.contains("number") ? undefined : text(cell) || undefined;
  };
  // What is missing comes last in either direction.
  const compare = (a, b, sign) => {
    if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
    if (typeof a === "number" && typeof b === "number") return sign * (a - b);
    return sign * collator.compare(String(a), String(b));
  };

  // Rows of a tree stay below the row that they belong to.
  const tree = (rows) => {
    const top = { depth: -1, below: [] };
    const path = [top];
    for (const row of rows) {
      const node = { row, depth: Number(row.dataset.depth || 0), below: [] };
      while (path.at(-1).depth >= node.depth) path.pop();
      path.at(-1).below.push(node);
      path.push(node);
    }
    return top.below;
  };
  const sorted = (nodes, column, sign) =>
    [...nodes]
      .sort((a, b) => compare(valueOf(a.row.cells[column]), valueOf(b.row.cells[column]), sign))
      .flatMap((node) => [node.row, ...sorted(node.below, column, sign)]);

  const STEPS = { none: "ascending", ascending: "descending", descending: "none" };
  const sort = (table, heads, head) => {
    const step = STEPS[head.getAttribute("aria-sort") || "none"];
    for (const other of heads) other.removeAttribute("aria-sort");
    if (step !== "none") head.setAttribute("aria-sort", step);
    const sign = step === "ascending" ? 1 : -1;
    const rows = step === "none" ? table.rows : sorted(tree(table.rows), Number(head.dataset.column), sign);
    table.body.append(...rows);
    tell(fill(words[step], { column: head.textContent }));
  };

  const sortable = (table) => {
    const heads = [...table.element.querySelectorAll("thead th[data-column]")].filter((head) => head.textContent);
    for (const head of heads) {
      const button = make("button", { type: "button" }, ...head.childNodes);
      button.addEventListener("click", () => sort(table, heads, head));
      head.append(button);
    }
  };

  const show = (table) => {
    const wanted = table.selects.filter((select) => select.value);
    for (const row of table.rows) row.hidden = wanted.some((select) => text(row.cells[select.column]) !== select.value);
    const count = table.rows.filter((row) => !row.hidden).length;
    table.bar.classList.toggle("used", wanted.length > 0);
    table.count.value = fill(words.rows, { shown: count, all: table.rows.length });
    tell(table.count.value);
  };
  const choice = ({ name, label, values }) => {
    const options = [...values].map((value) => new Option(value, value));
    const select = make("select", { name }, new Option(words.all, ""), ...options);
    return [select, make("label", {}, label, select)];
  };

  const tables = [...document.querySelectorAll(".tabular table")].map((element) => {
    const body = element.tBodies[0];
    return { element, body, rows: [...body.rows], selects: [] };
  });
  const filters = new Map();
  for (const table of tables) {
    for (const head of table.element.querySelectorAll("thead th[data-filter]")) {
      const name = head.dataset.filter;
      const filter = filters.get(name) || { name, label: head.textContent, values: new Set(), uses: [] };
      const column = Number(head.dataset.column);
      for (const row of table.rows) if (text(row.cells[column])) filter.values.add(text(row.cells[column]));
      filter.uses.push({ table, column });
      filters.set(name, filter);
    }
  }
  for (const filter of filters.values()) {
    for (const use of filter.uses) {
      const { table } = use;
      if (!table.bar) {
        table.count = make("output", {});
        table.bar = make("div", { className: "filters" }, table.count);
        table.element.closest(".tabular").prepend(table.bar);
      }
      const [select, label] = choice(filter);
      select.column = use.column;
      select.addEventListener("change", () => show(table));
      table.selects.push(select);
      table.count.before(label);
      use.select = select;
    }
    if (filter.uses.length > 1) {
      const [select, label] = choice(filter);
      const bar = document.getElementById("filters");
      select.addEventListener("change", () => {
        for (const use of filter.uses) {
          use.select.value = select.value;
          show(use.table);
        }
        bar.classList.toggle("used", [...bar.querySelectorAll("select")].some((one) => one.value));
      });
      bar.append(label);
      bar.hidden = false;
    }
  }
  tables.forEach(sortable);

  // The keyboard stops only at what is wider than the page.
  const stops = new ResizeObserver((entries) => {
    for (const { target } of entries) target.tabIndex = target.scrollWidth > target.clientWidth ? 0 : -1;
  });
  document.querySelectorAll(".scroll, pre").forEach((element) => stops.observe(element));

  // Contents: beside the text on a wide screen, else folded away above it.
  const contents = document.querySelector("nav details");
  if (contents) {
    const wide = matchMedia("(min-width: 86rem)");
    const unfold = () => { contents.open = wide.matches; };
    unfold();
    wide.addEventListener("change", unfold);
    contents.addEventListener("click", (event) => { if (event.target.closest("a")) unfold(); });
    const links = new Map([...contents.querySelectorAll("a")].map((link) => [link.hash.slice(1), link]));
    const seen = new IntersectionObserver((entries) => {
      for (const entry of entries.filter((one) => one.isIntersecting)) {
        for (const [anchor, link] of links) {
          if (anchor === entry.target.id) link.setAttribute("aria-current", "true");
          else link.removeAttribute("aria-current");
        }
      }
    }, { rootMargin: "0px 0px -75% 0px" });
    document.querySelectorAll("h2[id]").forEach((heading) => seen.observe(heading));
  }
})();
