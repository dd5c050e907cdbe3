// The slice browser: one view, shared by images and error maps.

const { sections, colours } = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const TRUTH = "truth";
const view = { zoom: 1, x: 0, y: 0 }; // x, y: what lies in the middle, from the middle of the image, in its widths and heights
const pixels = new Map(); // grey levels of decoded images, by their base64
let turn = 0; // of loading: only the latest is drawn
let shown = null; // { slice, a, b }: ids and grey levels of what is drawn

const levels = (slice, method) => levelsOf(slice, slice.images[method]);

async function levelsOf(slice, source) {
  if (!pixels.has(source)) {
    const image = new Image();
    image.src = "data:image/png;base64," + source;
    await image.decode();
    const [width, height] = slice.size;
    const context = element("canvas", { width, height }).getContext("2d", { willReadFrequently: true });
    context.imageSmoothingEnabled = false;
    context.drawImage(image, 0, 0, width, height);
    const data = context.getImageData(0, 0, width, height).data;
    pixels.set(source, Uint8Array.from({ length: width * height }, (_, i) => data[4 * i]));
  }
  return pixels.get(source);
}

function painted(slice, of, table) { // table: red, green, blue of each level
  const [width, height] = slice.size;
  const canvas = element("canvas", { width, height });
  const image = new ImageData(width, height);
  for (let i = 0; i < of.length; i++) {
    const [red, green, blue] = table[of[i]];
    image.data.set([red, green, blue, 255], 4 * i);
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

function grey(slice, of, width, low) {
  const level = (v) => Math.max(0, Math.min(1, (v / 255 - low) / width)) * 255;
  return painted(slice, of, Array.from({ length: 256 }, (_, v) => Array(3).fill(level(v))));
}

function colour(part) {
  const at = Math.min(1, part) * (colours.length - 1), low = Math.min(Math.floor(at), colours.length - 2);
  return colours[low].map((c, k) => c + (at - low) * (colours[low + 1][k] - c));
}

const GREY = 1.6; // times the scale's top is white outside of the foreground

function errors(slice, of, truth, inside) { // levels 256 and more are those outside
  const within = Array.from({ length: 256 }, (_, v) => colour(v / 255 / slice.errorTop));
  const outside = Array.from({ length: 256 }, (_, v) => Array(3).fill(Math.min(255, v / slice.errorTop / GREY)));
  return painted(slice, Uint16Array.from(of, (v, i) => Math.abs(v - truth[i]) + (inside[i] ? 0 : 256)), [...within, ...outside]);
}

function drawBar(canvas) {
  const context = canvas.getContext("2d");
  for (let i = 0; i < canvas.width; i++) {
    context.fillStyle = `rgb(${colour(i / (canvas.width - 1)).join(" ")})`;
    context.fillRect(i, 0, 1, canvas.height);
  }
  return canvas;
}

const barText = (slice) => ` error, 0 to ${slice.errorTop} of the truth's maximum; outside of the foreground in grey`;

function place(canvas) { // pixels of the canvas for a pixel of the image, and where its corner lies
  const [width, height] = shown.slice.size;
  const size = Math.min(canvas.width / width, canvas.height / height) * view.zoom;
  return {
    size, left: canvas.width / 2 - (0.5 + view.x) * width * size, top: canvas.height / 2 - (0.5 + view.y) * height * size,
  };
}

function draw(canvas, a, b) {
  canvas.width = Math.round(canvas.clientWidth * devicePixelRatio);
  canvas.height = Math.round(canvas.clientHeight * devicePixelRatio);
  const context = canvas.getContext("2d"), split = canvas.width * $("split").value / 100;
  const { size, left, top } = place(canvas);
  context.imageSmoothingEnabled = false;
  for (const [image, from, to] of [[a, 0, split], [b, split, canvas.width]]) {
    context.save();
    context.beginPath();
    context.rect(from, 0, to - from, canvas.height);
    context.clip();
    context.drawImage(image, left, top, image.width * size, image.height * size);
    context.restore();
  }
  context.fillStyle = "#f0e442";
  context.fillRect(split - devicePixelRatio, 0, 2 * devicePixelRatio, canvas.height);
}

function redraw() {
  if (!shown) return;
  const without = $("toggle").getAttribute("aria-pressed") !== "true";
  $("error").parentElement.hidden = $("scale").hidden = without;
  draw($("image"), shown.greyA, shown.greyB);
  if (!without) draw($("error"), shown.errorA, shown.errorB);
  document.querySelector(".views").classList.toggle("zoomed", view.zoom > 1);
}

function regrey() {
  const width = $("window").value / 100, low = $("level").value / 100 - width / 2;
  Object.assign(shown, { greyA: grey(shown.slice, shown.a, width, low), greyB: grey(shown.slice, shown.b, width, low) });
  redraw();
}

const section = () => sections[$("section").value];
const slices = () => section().slices.filter((slice) => slice.contrast === $("contrast").value);

async function reload() {
  const slice = slices()[$("slice").value], [a, b] = [$("a").value, $("b").value];
  const own = ++turn;
  const [truth, left, right] = await Promise.all([TRUTH, a, b].map((method) => levels(slice, method)));
  const inside = await levelsOf(slice, slice.foreground);
  if (own !== turn) return;
  shown = { slice, a: left, b: right };
  Object.assign(shown, { errorA: errors(slice, left, truth, inside), errorB: errors(slice, right, truth, inside) });
  const said = (method) => [method + bound(method), slice.scores[method]].filter(Boolean).join(", ");
  $("caption-a").textContent = said(a);
  $("caption-b").textContent = said(b);
  $("error-a").textContent = `error of ${a}`;
  $("error-b").textContent = `error of ${b}`;
  $("what").textContent = `${section().title}: ${section().label}. ${slice.contrast}, ${slice.name}.`;
  $("image").setAttribute("aria-label", `Left of the slider ${said(a)}; right of it ${said(b)}`);
  $("error").setAttribute("aria-label", `Error maps of the same: |image − truth|, up to ${slice.errorTop}`);
  document.querySelector("#scale span").textContent = barText(slice);
  for (const id of ["image", "error"]) $(id).style.aspectRatio = slice.size.join(" / ");
  regrey();
  document.body.dataset.shown = [section().title, slice.contrast, slice.name, a, b].join(" | ");
}

function options(select, entries, otherwise) { // what was chosen stays so where there still is such a thing
  const before = select.value;
  select.replaceChildren(...entries.map(([value, text]) => element("option", { value }, text)));
  const kept = entries.some(([value]) => String(value) === before);
  select.value = kept ? before : otherwise ?? entries[0][0];
}

const bound = (method) => (section().groups[method] === "bound" ? " (bound)" : "");

function best(slice, methods) { // by PSNR, which stands first
  return methods.sort((x, y) => parseFloat(slice.scores[y]) - parseFloat(slice.scores[x]))[0];
}

function fillSlices() {
  options($("slice"), slices().map((slice, i) => [i, slice.name]));
  const slice = slices()[$("slice").value];
  $("window").value = 100 * slice.window;
  $("level").value = 50 * slice.window;
  const methods = Object.keys(slice.images);
  for (const [id, group] of [["a", "joint"], ["b", "sequential"]]) {
    const usual = best(slice, methods.filter((method) => section().groups[method] === group)) ?? methods.at(-1);
    options($(id), methods.map((method) => [method, method + bound(method)]), usual);
  }
  return reload();
}

function fillContrasts() {
  options($("contrast"), [...new Set(section().slices.map((slice) => slice.contrast))].map((c) => [c, c]));
  return fillSlices();
}

function step(id, by) {
  const select = $(id), count = select.options.length;
  select.selectedIndex = (select.selectedIndex + by + count) % count;
  select.dispatchEvent(new Event("change"));
}

function zoom(by) {
  view.zoom = Math.max(1, Math.min(16, view.zoom * by));
  pan(0, 0);
}

function pan(x, y) { // in widths and heights of what is seen
  const most = 0.5 - 0.5 / view.zoom;
  view.x = Math.max(-most, Math.min(most, view.x + x / view.zoom));
  view.y = Math.max(-most, Math.min(most, view.y + y / view.zoom));
  redraw();
}

function slide(by) {
  $("split").value = Number($("split").value) + by;
  redraw();
}

function swap() {
  [$("a").value, $("b").value] = [$("b").value, $("a").value];
  return reload();
}

function toggle() {
  $("toggle").setAttribute("aria-pressed", $("toggle").getAttribute("aria-pressed") !== "true");
  redraw();
}

function reset() {
  Object.assign(view, { zoom: 1, x: 0, y: 0 });
  return fillSlices();
}

const KEYS = {
  ArrowLeft: () => pan(-0.1, 0), ArrowRight: () => pan(0.1, 0), ArrowUp: () => pan(0, -0.1), ArrowDown: () => pan(0, 0.1),
  "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), 0: reset, "[": () => slide(-2), "]": () => slide(2),
  a: () => step("a", 1), A: () => step("a", -1), b: () => step("b", 1), B: () => step("b", -1),
  s: swap, ",": () => step("slice", -1), ".": () => step("slice", 1), e: toggle,
};

function listen(canvas) {
  const fingers = new Map(); // where each pointer was last
  let sliding = false;
  canvas.addEventListener("keydown", (event) => {
    if (!(event.key in KEYS) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    KEYS[event.key]();
  });
  canvas.addEventListener("wheel", (event) => {
    if (document.activeElement !== canvas) return;
    event.preventDefault();
    zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15);
  }, { passive: false });
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, event);
    sliding = fingers.size === 1 && Math.abs(event.offsetX - canvas.clientWidth * $("split").value / 100) < 20;
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const others = [...fingers.values()].filter((other) => other.pointerId !== event.pointerId);
    const apart = (finger) => Math.hypot(finger.clientX - others[0].clientX, finger.clientY - others[0].clientY);
    if (others.length) zoom(apart(event) / Math.max(1, apart(before)));
    else if (sliding) slide(100 * event.offsetX / canvas.clientWidth - $("split").value);
    else pan((before.clientX - event.clientX) / canvas.clientWidth, (before.clientY - event.clientY) / canvas.clientHeight);
    fingers.set(event.pointerId, event);
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => fingers.delete(event.pointerId));
}

function start() {
  $("browser").hidden = false;
  options($("section"), sections.map((one, i) => [i, `${one.title} (${one.label})`]));
  drawBar($("bar"));
  const changes = { section: fillContrasts, contrast: fillSlices, slice: fillSlices, a: reload, b: reload };
  for (const [id, action] of Object.entries(changes)) $(id).addEventListener("change", action);
  for (const id of ["window", "level"]) $(id).addEventListener("input", regrey);
  const clicks = { toggle, swap, reset, in: () => zoom(1.5), out: () => zoom(1 / 1.5) };
  for (const [id, action] of Object.entries(clicks)) $(id).addEventListener("click", action);
  $("split").addEventListener("input", redraw);
  for (const id of ["image", "error"]) listen($(id));
  new ResizeObserver(redraw).observe(document.querySelector(".views"));
  return fillContrasts();
}

// Grids of all methods, from the same images.

async function outlined(slice, of) { // the truth, with the edge of the foreground
  const canvas = grey(slice, of, slice.window, 0), inside = await levelsOf(slice, slice.foreground);
  const [width, height] = slice.size, context = canvas.getContext("2d");
  context.fillStyle = "#56B4E9";
  inside.forEach((v, i) => {
    const edge = v && [i - 1, i + 1, i - width, i + width].some((j) => !inside[j]);
    if (edge) context.fillRect(i % width, Math.floor(i / width), 1, 1);
  });
  return canvas;
}

async function cellOf(one, slice, method, truth, inside) {
  const name = method + (one.groups[method] === "bound" ? " (bound)" : "");
  const cell = element("div", {}, element("span", {}, name));
  const scores = slice.scores[method];
  if (method in slice.images) {
    const of = await levels(slice, method);
    const image = method === TRUTH ? await outlined(slice, of) : grey(slice, of, slice.window, 0);
    cell.append(image, ...(scores ? [errors(slice, of, truth, inside)] : []));
  }
  cell.append(element("span", {}, scores ?? slice.missing[method] ?? ""));
  return cell;
}

async function fillGrid(figure) {
  const one = sections.find((other) => other.id === figure.dataset.section);
  const slice = one.slices.find((other) => other.id === figure.dataset.slice);
  const [truth, inside] = [await levels(slice, TRUTH), await levelsOf(slice, slice.foreground)];
  const methods = [...Object.keys(slice.images).filter((id) => !(id in one.groups)), ...Object.keys(one.groups)];
  const cells = element("div", { className: "cells" });
  for (const method of methods) cells.append(await cellOf(one, slice, method, truth, inside));
  const bar = drawBar(element("canvas", { width: 256, height: 10 }));
  const title = `${one.title}: ${one.label}. ${slice.contrast}, ${slice.name}`;
  figure.prepend(element("div", {}, title), cells, element("div", { className: "scale" }, bar, barText(slice)));
}

async function fillGrids() {
  for (const figure of document.querySelectorAll("figure.grid")) await fillGrid(figure);
  document.body.dataset.filled = "all";
}

if (sections.length) start().then(fillGrids);
