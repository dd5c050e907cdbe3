// Pixels of the slices: decoded once, then painted as greys, errors, differences or k-space.

const { sections, colours } = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const TRUTH = "truth";
const pixels = new Map(); // grey levels of decoded images, by their base64

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

const BAR_MM = 50;

function annotate(canvas, one, { size, left, top }) { // a scale bar, and the patient's sides where they are known
  const context = canvas.getContext("2d"), unit = canvas.height / 100, [width, height] = one.size;
  const from = Math.max(0, left) + unit, to = Math.min(canvas.width, left + size * width) - unit;
  Object.assign(context, { fillStyle: "#fff", strokeStyle: "#000", lineWidth: 0.6 * unit, font: `${Math.max(3.4 * unit, 9)}px sans-serif` });
  const write = (text, x, y, align) => {
    context.textAlign = align;
    context.strokeText(text, x, y);
    context.fillText(text, x, y);
  };
  if (one.voxel) {
    const y = Math.min(canvas.height, top + size * height) - 3 * unit;
    context.fillRect(from, y, BAR_MM / one.voxel * size, Math.max(2, 0.6 * unit));
    write(`${BAR_MM} mm`, from, y - 1.5 * unit, "left");
  }
  for (const [i, side] of one.sides.entries()) write(side, [from, to][i], Math.max(0, top) + 5 * unit, ["left", "right"][i]);
}

const BLUE = [33, 102, 172], WHITE = [247, 247, 247], RED = [178, 24, 43];

function signed(part) { // -1 blue, 0 white, 1 red
  const end = part < 0 ? BLUE : RED, share = Math.min(1, Math.abs(part));
  return WHITE.map((c, k) => c + share * (end[k] - c));
}

function difference(slice, a, b) {
  const table = Array.from({ length: 511 }, (_, i) => signed((i - 255) / 255 / slice.errorTop));
  return painted(slice, Int16Array.from(a, (v, i) => v - b[i] + 255), table);
}

const DECADES = 5;

function transformed(of, count, length, step, next) { // count signals of this length, in place; centred, plain sums
  const [real, imaginary] = of, turn = 2 * Math.PI / length, half = length >> 1;
  const cos = Float64Array.from({ length }, (_, i) => Math.cos(turn * i)), sin = Float64Array.from({ length }, (_, i) => Math.sin(turn * i));
  const re = new Float64Array(length), im = new Float64Array(length);
  for (let s = 0; s < count; s++) {
    const first = s * next;
    for (let k = 0; k < length; k++) {
      let x = 0, y = 0;
      for (let n = 0; n < length; n++) {
        const angle = (((k - half) * (n - half)) % length + length) % length, at = first + n * step;
        x += real[at] * cos[angle] + imaginary[at] * sin[angle];
        y += imaginary[at] * cos[angle] - real[at] * sin[angle];
      }
      re[k] = x;
      im[k] = y;
    }
    for (let k = 0; k < length; k++) [real[first + k * step], imaginary[first + k * step]] = [re[k], im[k]];
  }
}

function spectrum(slice, of) { // log of |k-space|
  const [width, height] = slice.size, both = [Float64Array.from(of), new Float64Array(of.length)];
  transformed(both, height, width, 1, width);
  transformed(both, width, height, width, 1);
  return both[0].map((x, i) => Math.log10(Math.hypot(x, both[1][i]) + 1e-9));
}

function kspace(slice, of, truth) { // as bright as decades below the truth's highest
  const top = spectrum(slice, truth).reduce((x, y) => Math.max(x, y));
  const level = (v) => Math.round(255 * Math.max(0, Math.min(1, 1 + (v - top) / DECADES)));
  return painted(slice, Uint8Array.from(spectrum(slice, of), level), Array.from({ length: 256 }, (_, v) => [v, v, v]));
}
