// The slice browser: one view, shared by images and error maps.

const view = { zoom: 1, x: 0, y: 0 }; // x, y: what lies in the middle, from the middle of the image, in its widths and heights
let turn = 0; // of loading: only the latest is drawn
let shown = null; // { slice, a, b, truth, inside }: grey levels of what is drawn; ids: of A and B; and what was made of them

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
  return { size, left, top };
}

const BESIDE = { error: "error maps", minus: "A − B", kspace: "k-space", nothing: "nothing" };

const beside = { // what stands beside the images: of A and of B, each made when first looked at
  error: ({ slice, a, b, truth, inside }) => [errors(slice, a, truth, inside), errors(slice, b, truth, inside)],
  minus: ({ slice, a, b }) => Array(2).fill(difference(slice, a, b)),
  kspace: ({ slice, a, b, truth }) => [kspace(slice, a, truth), kspace(slice, b, truth)],
};

function redraw() {
  if (!shown) return;
  const which = $("beside").value, without = which === "nothing";
  $("error").parentElement.hidden = without;
  $("scale").hidden = which !== "error";
  const at = draw($("image"), shown.greyA, shown.greyB);
  annotate($("image"), { ...section(), size: shown.slice.size }, at);
  if (!without) draw($("error"), ...(shown[which] ??= beside[which](shown)));
  const { a, b } = shown.ids;
  const said = {
    error: [`error of ${a}`, `error of ${b}`], minus: ["A − B: blue, A is darker", "red, A is brighter"],
    kspace: [`k-space of ${a}`, `k-space of ${b}`],
  };
  const [left, right] = said[which] ?? ["", ""];
  [$("error-a").textContent, $("error-b").textContent] = [left, right];
  const top = which === "error" ? `; errors up to ${shown.slice.errorTop}` : "";
  $("error").setAttribute("aria-label", `Left of the slider ${left}; right of it ${right}${top}`);
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
  shown = { slice, a: left, b: right, truth, inside, ids: { a, b } };
  const said = (method) => [method + bound(method), slice.scores[method]].filter(Boolean).join(", ");
  $("caption-a").textContent = said(a);
  $("caption-b").textContent = said(b);
  $("what").textContent = `${section().title}: ${section().label}. ${slice.contrast}, ${slice.name}.`;
  $("image").setAttribute("aria-label", `Left of the slider ${said(a)}; right of it ${said(b)}`);
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

function fillSlices(wanted, methodsWanted = {}) {
  options($("slice"), slices().map((slice, i) => [i, slice.name]));
  const asked = slices().findIndex((slice) => slice.id === wanted);
  if (asked >= 0) $("slice").value = asked;
  const slice = slices()[$("slice").value];
  $("window").value = 100 * slice.window;
  $("level").value = 50 * slice.window;
  const methods = Object.keys(slice.images);
  for (const [id, group] of [["a", "joint"], ["b", "sequential"]]) {
    const usual = best(slice, methods.filter((method) => section().groups[method] === group)) ?? methods.at(-1);
    options($(id), methods.map((method) => [method, method + bound(method)]), usual);
    if (methods.includes(methodsWanted[id])) $(id).value = methodsWanted[id];
  }
  return reload();
}

function fillContrasts(wanted, ...more) {
  const contrasts = [...new Set(section().slices.map((slice) => slice.contrast))];
  options($("contrast"), contrasts.map((c) => [c, c]));
  if (contrasts.includes(wanted)) $("contrast").value = wanted;
  return fillSlices(...more);
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

// A link to what is seen: dataset, contrast, slice, A, B, what is beside, each as it is named.

const HASH = "#slice=";

function link() {
  const seen = [section().id, $("contrast").value, shown.slice.id, $("a").value, $("b").value, $("beside").value];
  return HASH + seen.map(encodeURIComponent).join(",");
}

async function copyLink() {
  await copy(new URL(link(), location.href).href);
  $("link").textContent = "Copied";
  setTimeout(() => { $("link").textContent = "Copy link to this view"; }, 1500);
}

function follow() { // names that are not here leave what is shown
  if (!location.hash.startsWith(HASH)) return;
  const [id, contrast, slice, a, b, which] = location.hash.slice(HASH.length).split(",").map(plain);
  const number = sections.findIndex((one) => one.id === id);
  if (number < 0) return;
  $("section").value = number;
  fillContrasts(contrast, slice, { a, b });
  if (which in BESIDE) $("beside").value = which;
  $("browser").scrollIntoView();
}

function reset() {
  Object.assign(view, { zoom: 1, x: 0, y: 0 });
  return fillSlices();
}

const KEYS = {
  ArrowLeft: () => pan(-0.1, 0), ArrowRight: () => pan(0.1, 0), ArrowUp: () => pan(0, -0.1), ArrowDown: () => pan(0, 0.1),
  "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), 0: reset, "[": () => slide(-2), "]": () => slide(2),
  a: () => step("a", 1), A: () => step("a", -1), b: () => step("b", 1), B: () => step("b", -1),
  s: swap, ",": () => step("slice", -1), ".": () => step("slice", 1), e: () => step("beside", 1),
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
  options($("beside"), Object.entries(BESIDE));
  const changes = {
    section: () => fillContrasts(), contrast: () => fillSlices(), slice: () => fillSlices(), a: reload, b: reload, beside: redraw,
  };
  for (const [id, action] of Object.entries(changes)) $(id).addEventListener("change", action);
  for (const id of ["window", "level"]) $(id).addEventListener("input", regrey);
  const clicks = { swap, reset, link: copyLink, in: () => zoom(1.5), out: () => zoom(1 / 1.5) };
  for (const [id, action] of Object.entries(clicks)) $(id).addEventListener("click", action);
  $("split").addEventListener("input", redraw);
  for (const id of ["image", "error"]) listen($(id));
  new ResizeObserver(redraw).observe(document.querySelector(".views"));
  addEventListener("hashchange", follow);
  return fillContrasts().then(follow);
}
