// Numbers of a measurement, each with its errors, its budget and its method in words, and the way back to the raw file.
const AT_ONCE = 150; // numbers that are listed at first
const STATUSES = {
  ok: "The model describes the data within their noise.",
  assumed: "The number rests on something that was not measured, which has a systematic error.",
  misfit: "The model misses the data by more than their noise; the errors include the misfit.",
  at_bound: "The fit ended at a bound of the parameter.",
  limit: "The number is a limit; the quantity itself is not seen.",
  not_identified: "The data do not determine the number, or the search for it did not converge.",
};
const words = (name) => name.replaceAll("_", " ");
const short = (text) => (text === "" ? "" : String(Number(Number(text).toPrecision(3))));
const status = (name) => el("span", { class: `status ${name}`, title: STATUSES[name] || "" }, words(name));

function cellsOf(content, row) {
  const cells = Object.fromEntries(state.index.columns.map((name, i) => [name, row.cells[i]]));
  return { ...cells, method: content.shared[cells.method], raw_sha256: content.shared[cells.raw_sha256] };
}

function numbersSection(entry, content, options) {
  const table = el("table", { class: "numbers" });
  const search = el("input", {
    type: "search",
    "aria-label": "Search in these numbers",
    placeholder: "parameter, feature, model",
    input: () => fill(),
  });
  const chosen = content.rows.findIndex((row) => row.id === options.number);
  let most = chosen >= AT_ONCE ? content.rows.length : AT_ONCE;
  const more = button("", () => {
    most = Infinity;
    fill();
  });
  const fill = () => {
    const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = content.rows.filter((row) =>
      wanted.every((word) =>
        `${row.id} ${cellsOf(content, row).status}`
          .toLowerCase()
          .replaceAll("_", " ")
          .includes(word.replaceAll("_", " ")),
      ),
    );
    const shown = found.slice(0, most);
    more.hidden = found.length <= shown.length;
    more.textContent = `Show all ${found.length} numbers`;
    table.replaceChildren(
      headings(["Parameter", "Of", "At", "Value", "Systematic", "Unit", "Status", "Model"]),
      el(
        "tbody",
        {},
        shown.flatMap((row) => numberRows(entry, content, row)),
      ),
    );
  };
  fill();
  const file = () =>
    csv(
      state.index.columns,
      content.rows.map((row) => Object.values(cellsOf(content, row))),
    );
  return el(
    "section",
    { "aria-labelledby": "numbers" },
    el("h2", { id: "numbers" }, "Numbers"),
    el(
      "p",
      { class: "hint" },
      "One standard error in parentheses, after the last digits. A name opens the errors, the method and the source of its number; its address can be shared.",
      content.left_out ? ` The ${content.left_out} numbers of single places are in parameters.csv only.` : "",
    ),
    el(
      "div",
      { class: "bar" },
      search,
      button("Copy as CSV", () => copy(file(), "table")),
      button("Save CSV", () => save(file(), `${entry.sample}_${entry.name}.csv`)),
    ),
    el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table of numbers" }, table),
    more,
  );
}

const headings = (names) =>
  el(
    "thead",
    {},
    el(
      "tr",
      {},
      names.map((name) => el("th", { scope: "col" }, name)),
    ),
  );

function numberRows(entry, content, row) {
  const cells = cellsOf(content, row);
  const open = place().options.number === row.id;
  const link = address(pathOf(entry), { ...place().options, number: open ? "" : row.id });
  const first = el(
    "th",
    { scope: "row" },
    el(
      "a",
      {
        href: link,
        "aria-expanded": String(open),
        "data-number": row.id,
        title: content.meanings[cells.parameter] || "",
      },
      words(cells.parameter),
    ),
  );
  const line = el(
    "tr",
    { class: open ? "open" : "" },
    first,
    ...[
      cells.feature,
      row.at,
      row.value,
      Number(cells.systematic_error) ? short(cells.systematic_error) : "",
      row.unit,
    ].map((text, i) => el("td", { class: i === 2 || i === 3 ? "figure" : "" }, text)),
    el("td", {}, status(cells.status)),
    el("td", {}, words(cells.model)),
  );
  return open
    ? [line, el("tr", { class: "detail" }, el("td", { colspan: "8" }, numberDetail(content, row, cells)))]
    : [line];
}

function facts(pairs) {
  return el(
    "dl",
    {},
    pairs
      .filter(([, text]) => text)
      .map(([name, text]) => [el("dt", {}, name), el("dd", {}, text)])
      .flat(),
  );
}

function numberDetail(content, row, cells) {
  const unit = row.unit ? ` ${row.unit}` : "";
  const interval =
    cells.ci_low && cells.ci_high
      ? `${Number(cells.ci_low).toPrecision(6)} … ${Number(cells.ci_high).toPrecision(6)}${unit}`
      : "";
  const budget = (row.budget || []).map(([name, kind, value, source]) => [
    name,
    kind,
    `${short(value)}${unit}`,
    source,
  ]);
  return el(
    "div",
    { id: "number" },
    el(
      "p",
      { class: "meaning" },
      content.meanings[cells.parameter] || "",
      " ",
      el("strong", {}, `${row.value}${unit}`),
    ),
    facts([
      ["Value", `${cells.value}${unit}`],
      ["Standard error", cells.standard_error && `${short(cells.standard_error)}${unit}`],
      ["Systematic error", Number(cells.systematic_error) ? `${short(cells.systematic_error)}${unit}` : ""],
      ["95 % interval", interval],
      ["Status", `${words(cells.status)}: ${STATUSES[cells.status] || ""}`],
      ["Method", cells.method],
      ["Model", `${words(cells.model)}${content.models[cells.model] ? `: ${content.models[cells.model]}` : ""}`],
      ["Points", cells.n === "0" ? "" : cells.n],
      ["Reduced χ²", short(cells.reduced_chi_square)],
    ]),
    budget.length ? simpleTable("Budget of the uncertainty", ["Component", "Kind", "Size", "Source"], budget) : null,
    ...filesOf(content, cells.raw_sha256),
    el(
      "div",
      { class: "bar" },
      button("Copy link to this number", () => copy(location.href, "link")),
    ),
  );
}

function filesOf(content, hashes) {
  const known = new Map(content.files.map(([file, sha]) => [sha, file]));
  return hashes
    .split(",")
    .filter(Boolean)
    .map((sha) => el("p", { class: "file" }, known.get(sha) || "raw file", " ", el("code", {}, sha)));
}

function simpleTable(title, names, rows) {
  const body = el(
    "tbody",
    {},
    rows.map((row) =>
      el(
        "tr",
        {},
        row.map((cell) => el("td", {}, cell)),
      ),
    ),
  );
  return el(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": title },
    el("table", {}, el("caption", {}, title), headings(names), body),
  );
}

function sourcesSection(entry, content) {
  const times = ((window.relaxorView || {}).runtimes || {})[`${entry.sample}/${entry.technique}`] || {};
  const names = Object.keys(times).length ? ["Rule", "Hash of its code", "Run time"] : ["Rule", "Hash of its code"];
  const steps = content.steps.map(([rule, code]) => [
    rule,
    code,
    ...(names.length > 2 ? [times[rule] === undefined ? "" : `${times[rule]} s`] : []),
  ]);
  const files = content.files.map(([file, sha]) => el("li", {}, file, el("br"), el("code", {}, `SHA-256 ${sha}`)));
  const members = (content.combines || []).map((name) =>
    el("li", {}, el("a", { href: address(pathOf({ ...entry, name })) }, name)),
  );
  const own = content.settings.filter((row) => row[3] !== "library");
  const settings = ["Setting", "Value", "Unit", "From"];
  return el(
    "section",
    { "aria-labelledby": "sources" },
    el("h2", { id: "sources" }, "Where it comes from"),
    files.length ? el("ul", { class: "files" }, files) : el("p", {}, "No raw file of its own."),
    members.length ? [el("h3", {}, "Made of"), el("ul", {}, members)] : [],
    facts([
      ...Object.entries(content.about || {}).map(([name, text]) => [words(name), text]),
      ...(content.conditions || []),
      ["note", content.note],
    ]),
    steps.length ? simpleTable("Steps", names, steps) : null,
    own.length ? simpleTable("Settings that differ from the defaults of the library", settings, own) : null,
    content.settings.length
      ? el(
          "details",
          {},
          el("summary", {}, `All ${content.settings.length} settings`),
          simpleTable("All settings", settings, content.settings),
        )
      : null,
    content.header && content.header !== "{}"
      ? el("details", {}, el("summary", {}, "Header of the raw file"), el("pre", { tabindex: "0" }, content.header))
      : null,
  );
}
