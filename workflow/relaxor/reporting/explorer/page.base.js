"use strict";
// --- elements: every text of a file reaches the page as a text node, never as markup
function el(tag, properties, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties || {})) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

const byId = (id) => document.getElementById(id);

function say(text) {
  byId("said").textContent = text;
}

function choice(label, entries, chosen, changed, properties) {
  const options = entries.map(([value, text]) =>
    el("option", { value, selected: String(value) === String(chosen) }, text),
  );
  const select = el("select", { change: () => changed(select.value), ...properties }, options);
  return el("label", { class: "field" }, el("span", {}, label), select);
}

function tick(label, on, changed) {
  const box = el("input", { type: "checkbox", checked: on, change: () => changed(box.checked) });
  return el("label", { class: "tick" }, box, label);
}

function button(label, pressed) {
  return el("button", { type: "button", click: pressed }, label);
}

// --- data: scripts that hand over one compressed JSON text each, loaded when they are needed
const received = new Map();

function relaxorReceive(key, text) {
  const entry = received.get(key) || {};
  entry.text = text;
  received.set(key, entry);
}

function script(address) {
  return new Promise((done, failed) => {
    document.head.append(
      el("script", { src: address, load: done, error: () => failed(new Error(`${address} cannot be loaded`)) }),
    );
  });
}

async function load(key) {
  if (!received.has(key)) received.set(key, { waiting: script(`data/${key}.js`) });
  const entry = received.get(key);
  try {
    await entry.waiting;
  } catch (error) {
    received.delete(key); // to be asked for again
    throw error;
  }
  entry.content ||= unpacked(entry.text);
  return entry.content;
}

const bytesOf = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

async function unpacked(text) {
  const stream = new Blob([bytesOf(text)]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

const KINDS = { i1: Int8Array, i2: Int16Array, i4: Int32Array, f4: Float32Array, f8: Float64Array };

// The values of an array: numbers, or texts.
function values(array) {
  if (!array.values) {
    array.values = array.texts || new KINDS[array.kind](bytesOf(array.bytes).buffer);
    if (array.step !== undefined) {
      array.values = Float32Array.from(array.values, (level) => (level < 0 ? NaN : array.low + array.step * level));
    }
    array.bytes = null;
  }
  return array.values;
}

// --- the address: #/m/SAMPLE/TECHNIQUE/MEASUREMENT?panel=… names a place and what is shown there
function place() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  return { path: path.split("/").map(decode), options: Object.fromEntries(new URLSearchParams(query || "")) };
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function address(path, options) {
  const query = new URLSearchParams(
    Object.entries(options || {}).filter(([, value]) => value !== "" && value !== null),
  );
  const text = query.toString();
  return `#/${path.map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`;
}

// Show something else of the same place, without another entry in the history.
function show(changes) {
  const { path, options } = place();
  location.replace(address(path, { ...options, ...changes }));
}

const pathOf = (entry) => ["m", entry.sample, entry.technique, entry.name];

// --- files for other programs
function csv(columns, rows) {
  const cell = (value) => (/[",\n\r]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value));
  return [columns, ...rows].map((row) => row.map(cell).join(",") + "\n").join("");
}

async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = el("textarea", { class: "unseen" });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  say(`${what} copied`);
}

function save(text, name) {
  const link = el("a", { href: URL.createObjectURL(new Blob([text], { type: "text/csv" })), download: name });
  link.click();
  URL.revokeObjectURL(link.href);
  say(`${name} saved`);
}
