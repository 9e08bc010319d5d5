// Figures: curves with fit, components and residuals, or maps with the spectrum at a place, drawn by Plotly.
const BLACK = "#000000";
const COLOURS = ["#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6D31", "#5254A3", "#8C8C8C"];
const FIT = "#D55E00";
const VISIBLE = 12; // curves of one variable that are drawn at first; the legend shows the others
const FALLING = "binding_energy"; // its axis descends, as in print
const CONFIG = { responsive: true, displaylogo: false, displayModeBar: false, scrollZoom: false };

// Plotly reads tags and templates in its texts; a text of a file is only a text.
const plain = (text) =>
  String(text)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll("%{", "% {")
    .replaceAll("$", "＄");
const withUnit = (array) => (array.unit ? `${array.label} (${array.unit})` : array.label);
const broken = (text, width = 24) => plain(text).replace(new RegExp(`(.{${width},}?)\\s(?=.{6})`, "g"), "$1<br>");
const axis = (text, more) => ({
  title: { text, standoff: 8 },
  exponentformat: "power",
  minexponent: 5,
  showline: true,
  linecolor: "#444",
  mirror: "all",
  ticks: "outside",
  zeroline: false,
  gridcolor: "#e4e4e4",
  automargin: true,
  ...more,
});

function withTitle(panel) {
  const [source, ...rest] = panel.title.split("/");
  const parts = panel.parts.length > 1 ? ` and ${panel.parts.length - 1} more` : "";
  return `${source === "raw" ? "raw data" : "analysis"}: ${rest.join("/").replaceAll("_", " ")}${parts}`;
}

const arrayOf = (content, part, name) => content.arrays[`${part}/${name}`];

// Across: values of the chosen variable, or the numbers of the points.
function across(content, part, x, length) {
  const found = x && arrayOf(content, part, x);
  return found
    ? { array: found, values: values(found) }
    : { array: { label: "number of the point", unit: "" }, values: [...Array(length).keys()] };
}

// The groups of variables that share a unit; each is one choice of the vertical axis.
function groupsOf(content, panel, x) {
  const groups = new Map();
  for (const entry of panel.series) {
    const array = arrayOf(content, entry.part, entry.name);
    if (entry.role === "residual" || entry.name === x) continue;
    const known = groups.get(entry.group);
    if (known) known.names.add(entry.name);
    else groups.set(entry.group, { array, names: new Set([entry.name]) });
  }
  return groups;
}

function tracesOf(content, panel, view, prefix, offset) {
  const traces = [];
  const counts = { colour: offset };
  for (const entry of panel.series.filter((each) => each.group === view.group && each.name !== view.x)) {
    const array = arrayOf(content, entry.part, entry.name);
    const length = array.shape[array.shape.length - 1];
    const rows = array.shape.length > 1 ? array.shape[0] : 1;
    const names = entry.rows && arrayOf(content, entry.part, entry.rows);
    const several = panel.parts.length > 1 ? `${entry.part.split("/").pop().replaceAll("_", " ")}: ` : "";
    for (let row = 0; row < rows; row += 1) {
      const name = names
        ? `${names.texts ? "" : `${names.label} `}${values(names)[row]}${names.unit ? ` ${names.unit}` : ""}`
        : rows > 1
          ? `${row + 1}`
          : "";
      const own =
        name && ["component", "alternative"].includes(entry.role) ? name : `${entry.name}${name ? ` · ${name}` : ""}`;
      const title = `${prefix}${several}${own.replaceAll("_", " ")}`;
      traces.push(
        traceOf(content, entry, view, { row, length, part: panel.parts.indexOf(entry.part), title, counts, prefix }),
      );
    }
  }
  return traces;
}

// Where time begins again, as in a table of several runs, the line ends.
function withBreaks(x, y, name) {
  const ends = name.toLowerCase() === "time" ? [...x.keys()].filter((i) => i && x[i] < x[i - 1]) : [];
  if (!ends.length) return { x, y };
  const found = { x: [], y: [] };
  [0, ...ends].forEach((start, i) => {
    const stop = ends[i] || x.length;
    found.x.push(...x.slice(start, stop), NaN);
    found.y.push(...y.slice(start, stop), NaN);
  });
  return found;
}

function traceOf(content, entry, view, { row, length, part, title, counts, prefix }) {
  const array = arrayOf(content, entry.part, entry.name);
  const along = across(content, entry.part, view.x, length);
  const { x, y } = withBreaks(along.values, values(array).slice(row * length, (row + 1) * length), view.x);
  const residual = entry.role === "residual";
  const data = (entry.role === "data" || residual) && length > 1;
  const error =
    entry.error && values(arrayOf(content, entry.part, entry.error)).slice(row * length, (row + 1) * length);
  // The first data are black and the first fit is vermilion; all others have colours of their own.
  counts[entry.role] = (counts[entry.role] || 0) + 1;
  const fixed = { fit: FIT, data: BLACK }[entry.role];
  const colour = residual
    ? BLACK
    : fixed && !prefix && counts[entry.role] === 1
      ? fixed
      : COLOURS[counts.colour++ % COLOURS.length];
  const raw = entry.part.startsWith("raw/");
  const unit = array.unit ? ` ${plain(array.unit)}` : "";
  const xUnit = along.array.unit ? ` ${plain(along.array.unit)}` : "";
  const sure = error ? ` ± %{customdata:.2~g}` : "";
  return {
    type: "scatter",
    name: plain(title),
    meta: title, // as it is, for other programs
    x: along.array.texts ? x.map(plain) : x,
    y,
    customdata: error || undefined,
    mode:
      view.scattered || (data && !(raw && length > 200))
        ? "markers"
        : entry.role === "line" && length <= 50
          ? "lines+markers"
          : "lines",
    marker: { color: colour, size: length > 400 ? 2.5 : 5 },
    line: {
      color: colour,
      width: entry.role === "fit" ? 1.8 : 1.2,
      dash: entry.role === "alternative" ? "dot" : "solid",
    },
    error_y:
      error && data && length <= 100
        ? { type: "data", array: error, thickness: 1, width: 2, color: colour }
        : undefined,
    yaxis: residual ? "y2" : "y",
    showlegend: !residual,
    visible: entry.role === "alternative" || row >= VISIBLE || part >= VISIBLE ? "legendonly" : true,
    hovertemplate: `%{x:.7~g}${xUnit}<br>%{y:.6~g}${sure}${unit}<extra>${plain(title)}</extra>`,
  };
}

function drawCurves(content, panel, options, others, node) {
  const x = options.x !== undefined && panel.xs.includes(options.x) ? options.x : panel.x;
  const groups = groupsOf(content, panel, x);
  const group =
    groups.has(Number(options.group)) && options.group
      ? Number(options.group)
      : groups.has(panel.first)
        ? panel.first
        : [...groups.keys()][0];
  const view = { x, group, scattered: panel.scattered };
  const shown = groups.get(group) || { array: { label: "", unit: "" } };
  const traces = tracesOf(content, panel, view, "", 0);
  for (const other of others) {
    const found =
      other.content.panels.find((each) => each.id === panel.id) ||
      other.content.panels.find((each) => each.x === panel.x && each.kind === "curves");
    // Groups are numbered within a panel; what they have in common is their unit.
    const groupsThere = found ? [...groupsOf(other.content, found, x)] : [];
    const same = groupsThere.find(([, each]) => each.array.unit === shown.array.unit);
    if (!same || !(x === undefined || arrayOf(other.content, found.parts[0], x))) {
      say(`${other.entry.name} has nothing to draw on these axes`);
      continue;
    }
    const alike = {
      ...found,
      series: found.series.filter(
        (each) => each.role !== "residual" && each.role !== "component" && each.role !== "alternative",
      ),
    };
    const theirs = { ...view, group: same[0] };
    traces.push(...tracesOf(other.content, alike, theirs, `${other.entry.name}: `, traces.length));
  }
  const residual = panel.series.find((each) => each.role === "residual" && each.group === group);
  const first = across(content, panel.parts[0], x, 0).array;
  const falling = x === FALLING ? { autorange: "reversed" } : {};
  const layout = {
    ...LAYOUT(),
    xaxis: axis(broken(withUnit(first), 40), {
      type: options.xlog ? "log" : first.texts ? "category" : "linear",
      anchor: residual ? "y2" : "y",
      ...falling,
    }),
    yaxis: axis(broken(withUnit(shown.array)), {
      type: options.ylog ? "log" : "linear",
      domain: residual ? [0.3, 1] : [0, 1],
    }),
    hovermode: "closest",
  };
  const unit = residual && arrayOf(content, residual.part, residual.name).unit;
  if (residual)
    layout.yaxis2 = axis(unit ? `residual<br>(${plain(unit)})` : "residual", {
      domain: [0, 0.2],
      zeroline: true,
      zerolinecolor: "#888",
      nticks: 4,
    });
  placeLegend(node, layout, traces);
  Plotly.react(node, traces, layout, CONFIG);
  return { groups, x, group, traces, labels: [withUnit(first), withUnit(shown.array)] };
}

const LAYOUT = () => ({
  margin: { l: 70, r: 16, t: 12, b: 55 },
  font: { family: "system-ui, sans-serif", size: 13, color: "#1c1c1c" },
  paper_bgcolor: "#fff",
  plot_bgcolor: "#fff",
  dragmode: "zoom",
});

// Beside the curves where there is room, otherwise below, where the figure grows by it.
function placeLegend(node, layout, traces) {
  const listed = traces.filter((trace) => trace.showlegend).length;
  layout.showlegend = listed > 1;
  if (node.clientWidth > 700 || listed < 2) return;
  const height = 460 + 20 * listed;
  node.style.height = `${height}px`;
  layout.margin.b = 75 + 20 * listed;
  layout.legend = { y: -80 / (height - layout.margin.b - layout.margin.t), yanchor: "top", x: 0 };
}

// --- maps: an image, a place in it, and what was measured there
function drawMap(content, panel, options, node, below, picked) {
  const image = panel.images.find((each) => each.name === options.image) || panel.images[0];
  const array = arrayOf(content, panel.part, image.name);
  const [height, width] = array.shape.slice(-2);
  const slices = array.shape.slice(0, -2).reduce((product, size) => product * size, 1);
  const slice = Math.min(Number(options.slice) || 0, slices - 1);
  const all = values(array).subarray(slice * height * width, (slice + 1) * height * width);
  const x = across(content, panel.part, arrayOf(content, panel.part, panel.x) && panel.x, width);
  const y = across(content, panel.part, arrayOf(content, panel.part, panel.y) && panel.y, height);
  const counted = (name) => ({ label: `${name} (pixel)`, unit: "" });
  const labels = [x, y].map((each, i) => withUnit(each.array.shape ? each.array : counted(i ? panel.y : panel.x)));
  const z = Array.from({ length: height }, (_, row) => all.subarray(row * width, (row + 1) * width));
  const unit = array.unit ? ` ${plain(array.unit)}` : "";
  const map = {
    type: "heatmap",
    x: x.values,
    y: y.values,
    z,
    colorscale: "Cividis",
    colorbar: colourBar(node, array),
    hovertemplate: `${plain(labels[0])}: %{x:.5~g}<br>${plain(labels[1])}: %{y:.5~g}<br>%{z:.5~g}${unit}<extra></extra>`,
  };
  const [row, column] = options.pixel ? options.pixel.split(",").map(Number) : [NaN, NaN];
  const inside = row >= 0 && row < height && column >= 0 && column < width;
  const cross = inside
    ? [
        {
          type: "scatter",
          mode: "markers",
          x: [x.values[column]],
          y: [y.values[row]],
          marker: { symbol: "cross-thin-open", size: 18, color: FIT, line: { width: 3 } },
          hoverinfo: "skip",
          showlegend: false,
        },
      ]
    : [];
  const downwards = y.array.shape ? {} : { autorange: "reversed" }; // rows of pixels are counted from the top
  const equal = panel.equal ? { scaleanchor: "x", constrain: "domain" } : {};
  const layout = {
    ...LAYOUT(),
    xaxis: axis(broken(labels[0], 40), { constrain: "domain", showgrid: false }),
    yaxis: axis(broken(labels[1]), { ...equal, ...downwards, showgrid: false }),
  };
  Plotly.react(node, [map, ...cross], layout, CONFIG);
  node.removeAllListeners("plotly_click");
  node.on("plotly_click", ({ points }) => points[0].pointIndex.length && picked(points[0].pointIndex.join(",")));
  below.hidden = !inside;
  if (inside) drawPlace(content, panel, { row, column, width, height, all, x, y, array, labels }, below);
  return { image, slices, size: [height, width], labels };
}

const colourBar = (node, array) =>
  node.clientWidth < 600
    ? {
        title: { text: broken(withUnit(array), 40), side: "top" },
        thickness: 12,
        orientation: "h",
        y: -0.28,
        yanchor: "top",
      }
    : { title: { text: broken(withUnit(array)), side: "right" }, thickness: 14 };

// The spectrum at a place of a map; of an image without spectra, its row there.
function drawPlace(content, panel, { row, column, width, all, x, y, array, labels }, below) {
  const cube = panel.cube && arrayOf(content, panel.cube.part, panel.cube.name);
  const length = cube ? cube.shape[2] : width;
  const shown = cube
    ? values(cube).subarray((row * width + column) * length, (row * width + column + 1) * length)
    : all.subarray(row * width, (row + 1) * width);
  const along = cube ? across(content, panel.cube.part, panel.cube.x, length) : x;
  const at = [x, y].map((each, i) =>
    `${labels[i].replace(/ \(.*/, "")} = ${Number(each.values[i ? row : column]).toPrecision(5)} ${each.array.unit || ""}`.trim(),
  );
  const text = cube ? `Spectrum at ${at.join(", ")}` : `Row at ${at[1]}`;
  const layout = {
    ...LAYOUT(),
    title: { text: plain(text), font: { size: 14 } },
    xaxis: axis(broken(cube ? withUnit(along.array) : labels[0], 40)),
    yaxis: axis(broken(withUnit(cube || array))),
  };
  layout.margin = { ...layout.margin, t: 36 };
  Plotly.react(
    below,
    [
      {
        type: "scatter",
        mode: "lines",
        x: along.values,
        y: shown,
        line: { color: BLACK, width: 1.2 },
        hovertemplate: "%{x:.7~g}<br>%{y:.6~g}<extra></extra>",
      },
    ],
    layout,
    CONFIG,
  );
}
