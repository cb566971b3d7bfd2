// Spectrograms from the server's own mel matrix, all on one scale; their difference; envelopes and pitch over them.
import { make, one, svg } from "./elements.js";

const RANGE = 75, DIFFERENCE = 30;
const HEAT = ["#0a0a1a", "#1d1147", "#51127c", "#8f2a81", "#d3436e", "#f8765c", "#febb81", "#fcfdbf"]
  .map((text) => [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16)));
const LESS = [0x2b, 0x7b, 0xe4], MORE = [0xe8, 0x6a, 0x10];
const MARKS = [[300, "300"], [1000, "1k"], [3000, "3k"], [10000, "10k"]];

const heat = (share) => {
  const at = Math.min(0.9999, Math.max(0, share)) * (HEAT.length - 1), low = Math.floor(at);
  return HEAT[low].map((value, i) => value + (HEAT[low + 1][i] - value) * (at - low));
};

// The matrix unpacked: levels in dB, column after column, each from the lowest band up.
export const unpacked = (picture) => {
  const bytes = Uint8Array.from(atob(picture.mel), (letter) => letter.charCodeAt(0));
  let top = -Infinity;
  const levels = Float32Array.from(bytes, (step) => {
    const level = picture.floor_db + picture.step_db * step;
    top = Math.max(top, level);
    return level;
  });
  return { ...picture, levels, top };
};

const levelAt = (picture, band, seconds) => {
  const column = Math.round(seconds / picture.column_seconds);
  return column < picture.columns ? picture.levels[column * picture.bands + band] : picture.floor_db;
};
const paint = (canvas, bands, seconds, colour) => {
  const columns = 320;
  Object.assign(canvas, { width: columns, height: bands });
  const pen = canvas.getContext("2d"), image = pen.createImageData(columns, bands);
  for (let x = 0; x < columns; x += 1) {
    for (let y = 0; y < bands; y += 1) image.data.set(colour(bands - 1 - y, (seconds * x) / columns), 4 * (y * columns + x));
  }
  pen.putImageData(image, 0, 0);
};

// `gain` brings a sound to the target's loudness; `reference` is the brightest level of all pictures.
export const drawHeat = (canvas, picture, { seconds, gain, reference }) =>
  paint(canvas, picture.bands, seconds, (band, at) =>
    [...heat((levelAt(picture, band, at) + gain - reference) / RANGE + 1), 255]);

export const drawDifference = (canvas, target, answer, { seconds, gain, reference }) => {
  const floor = reference - RANGE;
  paint(canvas, target.bands, seconds, (band, at) => {
    const difference = Math.max(levelAt(answer, band, at) + gain, floor) - Math.max(levelAt(target, band, at), floor);
    const share = Math.min(1, Math.abs(difference) / DIFFERENCE) ** 0.8;
    return [...(difference < 0 ? LESS : MORE), Math.round(255 * share)];
  });
};

// Where a frequency lies, 0 at the top edge and 1 at the bottom.
const heightOf = (picture, hz) => {
  const { hz: centres } = picture;
  let band = centres.findIndex((centre) => centre >= hz);
  if (band < 0) band = centres.length - 1;
  if (band > 0) band -= (centres[band] - hz) / (centres[band] - centres[band - 1]);
  return 1 - (band + 0.5) / centres.length;
};
const linePath = (values, seconds, whole, height) => {
  let path = "", drawing = false;
  values.forEach((value, i) => {
    if (value === null) { drawing = false; return; }
    const x = (1000 * (i / (values.length - 1)) * seconds) / whole;
    path += `${drawing ? "L" : "M"}${x.toFixed(1)} ${(100 * height(value)).toFixed(2)}`;
    drawing = true;
  });
  return path;
};

const envelopePath = (picture, view, gain) => {
  const top = Math.max(...view.base.envelope_db);
  return linePath(picture.envelope_db, picture.seconds, view.seconds, (level) => Math.min(1, Math.max(0, 0.04 + (top - level - gain) / 60)));
};
const pitchPath = (picture, view) => picture.pitch
  ? linePath(picture.pitch, picture.seconds, view.seconds, (pitch) => heightOf(picture, 440 * 2 ** ((pitch - 69) / 12))) : "";

// One plot with its axis, lines and playhead; `role` says what a press on it means.
export const makePlot = (title, kind) => {
  const canvas = make("canvas");
  const lines = svg("svg", { viewBox: "0 0 1000 100", preserveAspectRatio: "none", class: "lines", "aria-hidden": "true" });
  const paths = {};
  for (const [name, classes] of [["targetEnvelope", "target"], ["answerEnvelope", "answer"], ["targetPitch", "target pitch"], ["answerPitch", "answer pitch"]]) {
    paths[name] = svg("path", { class: classes });
    lines.append(paths[name]);
  }
  const axis = make("div", { className: "hz" });
  const plot = make("div", { className: `plot ${kind}`, aria: { role: "img", label: title } }, canvas, lines, axis, make("i", { className: "region" }), make("i", { className: "playhead" }));
  const caption = make("figcaption", { textContent: title });
  const figure = make("figure", {}, caption, plot);
  return { figure, plot, canvas, caption, axis, paths };
};

export const markAxis = (axis, picture) => {
  if (axis.childElementCount) return;
  axis.append(...MARKS.map(([hz, text]) => {
    const mark = make("span", { textContent: text });
    mark.style.top = `${100 * heightOf(picture, hz)}%`;
    return mark;
  }));
};

export const drawLines = ({ paths }, view, answer, gain) => {
  const envelope = one("#show-envelope").checked, pitch = one("#show-pitch").checked;
  const both = Boolean(answer);
  paths.targetEnvelope.setAttribute("d", envelope && view.target ? envelopePath(view.target, view, 0) : "");
  paths.answerEnvelope.setAttribute("d", envelope && both ? envelopePath(answer, view, gain) : "");
  paths.targetPitch.setAttribute("d", pitch && view.target ? pitchPath(view.target, view) : "");
  paths.answerPitch.setAttribute("d", pitch && both ? pitchPath(answer, view) : "");
};
