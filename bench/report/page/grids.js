// Grids of all methods, from the same images: a few in sight, the others folded.

async function outlined(one, slice, of) { // the truth, with the edge of the foreground, a scale bar and sides
  const canvas = grey(slice, of, slice.window, 0), inside = await levelsOf(slice, slice.foreground);
  const [width, height] = slice.size, context = canvas.getContext("2d");
  context.fillStyle = "#56B4E9";
  inside.forEach((v, i) => {
    const edge = v && [i - 1, i + 1, i - width, i + width].some((j) => !inside[j]);
    if (edge) context.fillRect(i % width, Math.floor(i / width), 1, 1);
  });
  return annotated(canvas, { ...one, size: slice.size });
}

function annotated(canvas, one) { // enlarged, so that the words can be read
  const size = Math.max(1, Math.round(320 / canvas.width));
  const large = element("canvas", { width: canvas.width * size, height: canvas.height * size });
  const context = large.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(canvas, 0, 0, large.width, large.height);
  annotate(large, one, { size, left: 0, top: 0 });
  return large;
}

const marked = (group, words) => element("span", group ? { className: `group ${group}` } : {}, words); // as in the charts

async function cellOf(one, slice, method, truth, inside) {
  const name = method + (one.groups[method] === "bound" ? " (bound)" : "");
  const cell = element("div", {}, element("span", {}, name));
  const scores = slice.scores[method];
  if (method in slice.images) {
    const of = await levels(slice, method);
    const image = method === TRUTH ? await outlined(one, slice, of) : grey(slice, of, slice.window, 0);
    cell.append(image, ...(scores ? [errors(slice, of, truth, inside)] : []));
  }
  cell.append(marked(one.groups[method], scores ?? slice.missing[method] ?? ""));
  return cell;
}

async function fillGrid(figure) {
  const one = sections.find((other) => other.id === figure.dataset.section);
  const slice = one.slices.find((other) => other.id === figure.dataset.slice);
  const [truth, inside] = [await levels(slice, TRUTH), await levelsOf(slice, slice.foreground)];
  const all = [...Object.keys(slice.images).filter((id) => !(id in one.groups)), ...Object.keys(one.groups)];
  const first = figure.dataset.first.split(" ").filter((id) => id in one.groups);
  const inSight = all.filter((id) => !(id in one.groups)).concat(first), others = all.filter((id) => !inSight.includes(id));
  const cells = async (methods) => {
    const holder = element("div", { className: "cells" });
    for (const method of methods) holder.append(await cellOf(one, slice, method, truth, inside));
    return holder;
  };
  const bar = drawBar(element("canvas", { width: 256, height: 10 }));
  const key = [...new Set(first.map((method) => one.groups[method]))].map((group) => marked(group, group));
  const title = `${one.title}: ${one.label}. ${slice.contrast}, ${slice.name}`;
  figure.prepend(element("div", {}, title), await cells(inSight), element("div", { className: "scale" }, bar, barText(slice), ...key));
  if (others.length) {
    const folded = element("details", {}, element("summary", {}, `${others.length} other methods`));
    folded.addEventListener("toggle", async () => { if (folded.children.length < 2) folded.append(await cells(others)); });
    figure.querySelector("figcaption").before(folded);
  }
}

async function fillGrids() {
  for (const figure of document.querySelectorAll("figure.grid")) await fillGrid(figure);
  document.body.dataset.filled = "all";
}

if (sections.length) start().then(fillGrids);
