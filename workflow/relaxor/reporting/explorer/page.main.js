// Pages and what the address shows of them.
const state = { index: null, key: null, redraw: null };
const PAGES = { claims: "Claims", checks: "Checks", validation: "Validation" };
const ABOUT = {
  claims:
    "Each number that the paper reports, beside ours. Simulated data hold the values that were put in: a claim about them is returned, never proven.",
  checks: "Physical constraints that the results must satisfy.",
  validation: "Numbers that others publish of public raw data, beside ours.",
};
const SIMULATED =
  "Simulated data. They hold the values that were put in, and show only that the analysis finds them again.";

function banner(simulated, text) {
  byId("banner").hidden = !simulated;
  byId("banner").textContent = text;
}

async function route() {
  const { path, options } = place();
  const index = state.index;
  const entry = path[0] === "m" && index.entries.find(isOpen);
  document.body.classList.toggle("reading", path[0] !== "");
  if (entry && state.key === entry.key) {
    state.redraw(options);
    return;
  }
  state.key = entry ? entry.key : null;
  drawRows();
  const main = byId("main");
  for (const link of byId("pages").children) {
    if (link.getAttribute("href") === `#/${path[0]}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  try {
    if (entry) await measurementPage(main, entry, options);
    else if (index.tables.includes(path[0])) await tablePage(main, path[0]);
    else startPage(main, path[0] ? `There is no ${path.join(" / ")} here.` : "");
  } catch (error) {
    main.replaceChildren(el("p", { role: "alert" }, `${error.message}. The explorer needs the folder data beside it.`));
  }
}

function startPage(main, problem) {
  const { entries, titles, version } = state.index;
  const simulated = entries.filter((entry) => entry.origin === "simulated").length;
  banner(
    simulated,
    simulated === entries.length ? SIMULATED : `${simulated} of ${entries.length} measurements are simulated.`,
  );
  document.title = "relaxor explorer";
  const count = (of) => of.reduce((sum, entry) => sum + Object.values(entry.statuses).reduce((a, b) => a + b, 0), 0);
  const rows = Object.keys(titles)
    .concat(entries.some((e) => !(e.technique in titles)) ? [""] : [])
    .map((technique) => {
      const own = entries.filter((entry) => (technique ? entry.technique === technique : !(entry.technique in titles)));
      return [titles[technique] || "other files", String(own.length), String(count(own))];
    });
  main.replaceChildren(
    el("h1", {}, "Results"),
    problem ? el("p", { role: "alert" }, problem) : "",
    el(
      "p",
      {},
      `${entries.length} measurements with ${count(entries)} numbers, made by relaxor ${version}. Choose a measurement in the list: its curves, its numbers with errors, and where they come from.`,
    ),
    simpleTable("Techniques", ["Technique", "Measurements", "Numbers"], rows),
  );
}

async function tablePage(main, name) {
  const content = await load(name);
  if (place().path[0] !== name) return;
  const verdict = content.shown.indexOf("verdict");
  const origin = content.columns.indexOf("origin");
  banner(origin >= 0 && content.rows.some((row) => row[origin] === "simulated"), SIMULATED);
  document.title = `${PAGES[name]} – relaxor explorer`;
  const body = el("tbody");
  const search = el("input", {
    type: "search",
    "aria-label": `Search in ${name}`,
    placeholder: "search",
    input: () => fill(),
  });
  const verdicts = [...new Set(content.short.map((row) => row[verdict]))].sort();
  const count = (each) => content.short.filter((row) => row[verdict] === each).length;
  let chosen = "";
  const pick = choice(
    "Verdict",
    [["", "any"], ...verdicts.map((each) => [each, `${each} (${count(each)})`])],
    "",
    (value) => {
      chosen = value;
      fill();
    },
  );
  const fill = () => {
    const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = content.rows
      .map((_, i) => i)
      .filter(
        (i) =>
          (!chosen || content.short[i][verdict] === chosen) &&
          wanted.every((word) => content.rows[i].join(" ").toLowerCase().includes(word)),
      );
    body.replaceChildren(...found.map((i) => comparisonRow(content, i, verdict)));
  };
  fill();
  main.replaceChildren(
    el("h1", {}, PAGES[name]),
    el("p", {}, ABOUT[name]),
    el(
      "div",
      { class: "bar" },
      search,
      pick,
      button("Copy as CSV", () => copy(csv(content.columns, content.rows), "table")),
    ),
    el(
      "div",
      { class: "scroll tall", tabindex: "0", role: "region", "aria-label": PAGES[name] },
      el("table", {}, headings([...content.shown.map(words), "number"]), body),
    ),
  );
}

// What is read first, and behind the first cell whatever else the row says.
function comparisonRow(content, i, verdict) {
  const [first, ...others] = content.short[i];
  const more = content.hidden
    .map((name) => [words(name), content.rows[i][content.columns.indexOf(name)]])
    .filter(([, text]) => text);
  const cells = others.map((text, k) =>
    el(
      "td",
      { class: k + 1 !== verdict && /^[-≥≤ .\d]/.test(text) ? "figure" : "" },
      k + 1 === verdict ? el("span", { class: `status ${text.replaceAll(" ", "-")}` }, text) : text,
    ),
  );
  return el(
    "tr",
    {},
    el(
      "th",
      { scope: "row", class: "quantity" },
      more.length ? el("details", {}, el("summary", {}, first), facts(more)) : first,
    ),
    ...cells,
    el("td", {}, numberLink(content.links[i])),
  );
}

function numberLink(link) {
  const entry = link && state.index.entries.find((each) => each.key === link[0]);
  return entry ? el("a", { href: address(pathOf(entry), { number: link[1] }) }, entry.name) : "";
}

async function measurementPage(main, entry, options) {
  const content = await load(entry.key);
  if (state.key !== entry.key) return;
  banner(entry.origin === "simulated", SIMULATED);
  document.title = `${entry.name} – relaxor explorer`;
  const figure = el("section", { "aria-labelledby": "figure" });
  const numbers = el("div");
  const title = state.index.titles[entry.technique] || entry.technique;
  main.replaceChildren(
    el("p", { class: "back" }, el("a", { href: "#/" }, "All measurements")),
    el("h1", {}, entry.name),
    el("p", { class: "hint" }, `${title} of ${entry.sample}, ${entry.origin} data, ${statusText(entry)}`),
    figure,
    numbers,
    sourcesSection(entry, content),
  );
  let drawn;
  const redraw = async (now) => {
    const { number, ...view } = now;
    const rest = JSON.stringify(view);
    numbers.replaceChildren(content.rows.length ? numbersSection(entry, content, now) : "");
    const detail = byId("number");
    if (detail) {
      detail.closest("tr").previousSibling.scrollIntoView({ block: "nearest" });
      main.querySelector(`[aria-expanded="true"]`).focus({ preventScroll: true });
    }
    if (rest !== drawn) await figureSection(figure, entry, content, now);
    drawn = rest;
  };
  state.redraw = redraw;
  if (!options.number) window.scrollTo(0, 0);
  await redraw(options);
}

async function figureSection(section, entry, content, options) {
  if (!content.panels.length) {
    section.replaceChildren(el("h2", { id: "figure" }, "Figure"), el("p", {}, "Nothing of this can be drawn."));
    return;
  }
  if (!window.Plotly) await (state.plotly ||= script("plotly.min.js"));
  const panel = content.panels.find((each) => each.id === options.panel) || content.panels[0];
  const named = (options.with || "").split(",").filter(Boolean);
  const others = await Promise.all(
    state.index.entries
      .filter((each) => named.includes(each.key))
      .map(async (each) => ({ entry: each, content: await load(each.key) })),
  );
  const node = el("div", {
    class: panel.kind === "map" ? "plot square" : "plot",
    role: "img",
    "aria-label": `${withTitle(panel)} of ${entry.name}`,
  });
  const below = el("div", { class: "plot low", hidden: true });
  const controls = el("div", { class: "bar" });
  const tools = el("div", { class: "bar" });
  const remarks = panel.parts.flatMap((part) => content.remarks[part] || []);
  const known = panel.parts.flatMap((part) => content.facts[part] || []);
  section.replaceChildren(
    el("h2", { id: "figure" }, "Figure"),
    controls,
    node,
    below,
    tools,
    remarks.length
      ? el(
          "p",
          { class: "hint" },
          `Thinned for this page: ${[...new Set(remarks)].join("; ")}. The file of the results has all points.`,
        )
      : "",
    known.length
      ? el("details", {}, el("summary", {}, "Attributes and single numbers of these curves"), facts(known))
      : "",
  );
  controls.append(
    choice(
      "Shown",
      content.panels.map((each) => [each.id, withTitle(each)]),
      panel.id,
      (value) => show({ panel: value, x: "", group: "", image: "", slice: "", pixel: "" }),
    ),
  );
  if (panel.kind === "map")
    mapControls(
      controls,
      content,
      panel,
      options,
      drawMap(content, panel, options, node, below, (pixel) => show({ pixel })),
    );
  else
    curveControls(controls, tools, entry, content, panel, options, drawCurves(content, panel, options, others, node));
  const file = `${entry.sample}_${entry.name}`;
  for (const format of ["png", "svg"])
    tools.append(
      button(`Save ${format.toUpperCase()}`, () =>
        Plotly.downloadImage(node, {
          format,
          filename: file,
          scale: 3,
          width: node.clientWidth,
          height: node.clientHeight,
        }),
      ),
    );
  tools.append(button("Copy link to this view", () => copy(location.href, "link")));
}

function curveControls(controls, tools, entry, content, panel, options, drawn) {
  const named = (options.with || "").split(",").filter(Boolean);
  if (drawn.groups.size > 1) {
    const texts = [...drawn.groups].map(([group, { array, names }]) => [
      group,
      `${[...names].map(words).slice(0, 3).join(", ")}${names.size > 3 ? ", …" : ""}${array.unit ? ` (${array.unit})` : ""}`,
    ]);
    controls.append(choice("Vertical axis", texts, drawn.group, (group) => show({ group })));
  }
  if (panel.xs.length > 1)
    controls.append(
      choice(
        "Horizontal axis",
        panel.xs.map((each) => [each, words(each)]),
        drawn.x,
        (x) => show({ x, group: "" }),
      ),
    );
  controls.append(
    tick("log x", Boolean(options.xlog), (on) => show({ xlog: on ? 1 : "" })),
    tick("log y", Boolean(options.ylog), (on) => show({ ylog: on ? 1 : "" })),
  );
  const alike = state.index.entries.filter(
    (each) => each.technique === entry.technique && each.key !== entry.key && !named.includes(each.key),
  );
  if (alike.length)
    controls.append(
      choice("Overlay", [["", "add a measurement"], ...alike.map((each) => [each.key, each.name])], "", (key) =>
        show({ with: [...named, key].join(",") }),
      ),
    );
  for (const each of state.index.entries.filter((other) => named.includes(other.key))) {
    controls.append(
      button(`Remove ${each.name}`, () => show({ with: named.filter((key) => key !== each.key).join(",") })),
    );
  }
  tools.append(
    button("Copy curves as CSV", () => copy(csv(["curve", ...drawn.labels], curveRows(drawn.traces)), "curves")),
  );
}

function curveRows(traces) {
  const digits = (value) => (typeof value === "number" ? Number(value.toPrecision(7)) : value);
  return traces
    .filter((trace) => trace.visible === true)
    .flatMap((trace) => Array.from(trace.y, (y, i) => [trace.meta, digits(trace.x[i]), digits(y)]))
    .filter(([, x]) => !Number.isNaN(x));
}

function mapControls(controls, content, panel, options, drawn) {
  const label = (each) => withUnit(content.arrays[`${panel.part}/${each.name}`]);
  if (panel.images.length > 1)
    controls.append(
      choice(
        "Image",
        panel.images.map((each) => [each.name, label(each)]),
        drawn.image.name,
        (image) => show({ image, slice: "" }),
      ),
    );
  if (drawn.slices > 1) {
    const names = drawn.image.rows && values(content.arrays[`${panel.part}/${drawn.image.rows}`]);
    const text = (i) => (names && names.length === drawn.slices ? String(names[i]) : String(i + 1));
    controls.append(
      choice(
        "Of",
        Array.from({ length: drawn.slices }, (_, i) => [i, text(i)]),
        options.slice || 0,
        (slice) => show({ slice }),
      ),
    );
  }
  const pixel = (options.pixel || ",").split(",");
  const field = (name, i) => {
    const input = el("input", {
      type: "number",
      min: 0,
      max: drawn.size[i] - 1,
      value: pixel[i],
      change: () => show({ pixel: (i ? [pixel[0] || 0, input.value] : [input.value, pixel[1] || 0]).join(",") }),
    });
    return el("label", { class: "field small" }, el("span", {}, name), input);
  };
  controls.append(field("Row", 0), field("Column", 1));
  controls.append(
    el(
      "p",
      { class: "hint" },
      panel.cube ? "Click on a place to see its spectrum." : "Click on a place to see its row.",
    ),
  );
}

async function start() {
  await (window.relaxorView || {}).ready; // run times, which only 'relaxor view' knows
  state.index = await load("index");
  const pages = byId("pages");
  pages.append(
    el("a", { href: "#/" }, "Measurements"),
    ...state.index.tables.map((name) => el("a", { href: `#/${name}` }, PAGES[name])),
  );
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    byId("main").focus();
  });
  buildList(byId("side"), state.index);
  window.addEventListener("hashchange", route);
  await route();
}

window.addEventListener("DOMContentLoaded", () =>
  start().catch((error) => byId("main").replaceChildren(el("p", { role: "alert" }, error.message))),
);
