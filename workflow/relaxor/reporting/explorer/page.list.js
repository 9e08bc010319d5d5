// The list of measurements: only the rows in sight are elements of the page, so that thousands do not slow it down.
const ROW = 48;
const list = { entries: [], shown: [], active: 0, filters: { text: "", sample: "", technique: "", status: "" } };

function statusText(entry) {
  const counts = Object.entries(entry.statuses);
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  const flagged = counts
    .filter(([status]) => state.index.flagged.includes(status))
    .reduce((sum, [, count]) => sum + count, 0);
  if (!total) return "no numbers";
  return `${total} number${total > 1 ? "s" : ""}${flagged ? `, ${flagged} flagged` : ""}`;
}

function buildList(side, index) {
  list.entries = index.entries;
  list.words = index.entries.map((entry) =>
    [
      entry.name,
      entry.sample,
      entry.technique,
      index.titles[entry.technique] || "",
      ...entry.parameters.map((i) => index.parameters[i]),
    ]
      .join(" ")
      .toLowerCase(),
  );
  const unique = (key) => [...new Set(index.entries.map((entry) => entry[key]))];
  const statuses = [...new Set(index.entries.flatMap((entry) => Object.keys(entry.statuses)))].sort();
  const set = (key) => (value) => {
    list.filters[key] = value;
    filter();
  };
  const search = el("input", {
    type: "search",
    id: "search",
    placeholder: "name, technique or parameter",
    input: () => set("text")(search.value),
  });
  search.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "Enter") {
      event.preventDefault();
      list.box.focus();
      if (event.key === "Enter" && list.shown.length) open(list.shown[list.active]);
    }
  });
  const all = (key, name) => [
    ["", name],
    ...unique(key).map((each) => [each, (key === "technique" && index.titles[each]) || each]),
  ];
  list.several = unique("sample").length > 1;
  const samples = list.several ? [choice("Sample", all("sample", "all samples"), "", set("sample"))] : [];
  const states = [
    ["", "any status"],
    ["flagged", "any flagged"],
    ...statuses.map((each) => [each, each.replaceAll("_", " ")]),
  ];
  list.box = el("div", {
    id: "list",
    role: "listbox",
    tabindex: "0",
    "aria-label": "Measurements",
    keydown: listKey,
    scroll: drawRows,
  });
  list.inner = el("div", { role: "presentation" });
  list.box.append(list.inner);
  list.count = el("p", { class: "count", "aria-live": "polite" });
  side.append(
    el("label", { class: "field" }, el("span", {}, "Search"), search),
    ...samples,
    choice("Technique", all("technique", "all techniques"), "", set("technique")),
    choice("Status", states, "", set("status")),
    list.count,
    list.box,
  );
  new ResizeObserver(drawRows).observe(list.box);
  filter();
}

function filter() {
  const { text, sample, technique, status } = list.filters;
  const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
  const has = (entry) =>
    status === "flagged" ? state.index.flagged.some((each) => entry.statuses[each]) : !status || entry.statuses[status];
  list.shown = list.entries.filter(
    (entry, number) =>
      (!sample || entry.sample === sample) &&
      (!technique || entry.technique === technique) &&
      has(entry) &&
      wanted.every((word) => list.words[number].includes(word)),
  );
  list.active = Math.max(0, list.shown.findIndex(isOpen));
  list.count.textContent = `${list.shown.length} of ${list.entries.length} measurements`;
  list.inner.style.height = `${list.shown.length * ROW}px`;
  list.box.scrollTop = Math.max(0, list.active * ROW - list.box.clientHeight / 2);
  drawRows();
}

function isOpen(entry) {
  const { path } = place();
  return path[0] === "m" && path[1] === entry.sample && path[2] === entry.technique && path[3] === entry.name;
}

function drawRows() {
  const first = Math.max(0, Math.floor(list.box.scrollTop / ROW) - 4);
  const last = Math.min(list.shown.length, Math.ceil((list.box.scrollTop + list.box.clientHeight) / ROW) + 4);
  const rows = [];
  for (let number = first; number < last; number += 1) {
    const entry = list.shown[number];
    rows.push(
      el(
        "div",
        {
          id: `row${number}`,
          role: "option",
          class: number === list.active ? "row active" : "row",
          "aria-selected": String(isOpen(entry)),
          "aria-setsize": list.shown.length,
          "aria-posinset": number + 1,
          style: `top:${number * ROW}px`,
          click: () => {
            list.active = number;
            open(entry);
          },
        },
        el("span", { class: "title" }, entry.name),
        el(
          "span",
          { class: "about" },
          [...(list.several ? [entry.sample] : []), entry.technique, statusText(entry)].join(" · "),
        ),
      ),
    );
  }
  list.inner.replaceChildren(...rows);
  if (list.shown.length) list.box.setAttribute("aria-activedescendant", `row${list.active}`);
  else list.box.removeAttribute("aria-activedescendant");
}

function listKey(event) {
  const page = Math.max(1, Math.floor(list.box.clientHeight / ROW) - 1);
  const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
  if (event.key === "Enter" && list.shown.length) open(list.shown[list.active]);
  else if (event.key in steps) {
    list.active = Math.min(Math.max(list.active + steps[event.key], 0), list.shown.length - 1);
    const top = list.active * ROW;
    if (top < list.box.scrollTop) list.box.scrollTop = top;
    if (top + ROW > list.box.scrollTop + list.box.clientHeight) list.box.scrollTop = top + ROW - list.box.clientHeight;
    drawRows();
  } else return;
  event.preventDefault();
}

function open(entry) {
  location.hash = address(pathOf(entry));
}
