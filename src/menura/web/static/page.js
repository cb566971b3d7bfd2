// The page: which job is open, what is chosen, and how its parts meet. The job's id stands in the address.
import { addressOf, getJson, post } from "./api.js";
import { makeBuilding } from "./building.js";
import { makeDeck } from "./deck.js";
import { all, complain, later, make, one } from "./elements.js";
import { makeIntake } from "./intake.js";
import { makePast } from "./past.js";
import { makePiano } from "./piano.js";
import { drawDifference, drawHeat, drawLines, makePlot, markAxis } from "./pictures.js";
import { isTurned, makeTurning } from "./turning.js";
import { courseOf, watchJob, wordsOf } from "./watch.js";

const SHOWN = 5;
let open = null;  // { id, events, info, stop }
let about = null;

// ---------------------------------------------------------------- pictures
const plots = [makePlot("Target", "heat"), makePlot("Answer", "heat"), makePlot("Difference", "difference")];
const draw = () => {
  const target = deck.sources()[0]?.picture, answer = deck.answer();
  const picture = answer?.picture, seconds = deck.seconds(), gain = answer ? deck.gainDb(answer) : 0;
  const base = target ?? picture, view = { target, base, seconds };
  const number = deck.sources().indexOf(answer);
  plots.forEach((plot, i) => {
    plot.figure.classList.toggle("hears", (i === 0 && deck.heard() === 0) || (i === 1 && deck.heard() === number));
    plot.figure.hidden = (i !== 1 && !target) || (i > 0 && !picture);
  });
  if (!base) return;
  const scale = { seconds, reference: base.top };
  if (target) drawHeat(plots[0].canvas, target, { ...scale, gain: 0 });
  drawLines(plots[0], view, null, 0);
  if (picture) {
    plots[1].caption.textContent = `Answer ${number}`;
    plots[1].plot.setAttribute("aria-label", `Spectrogram of answer ${number}`);
    drawHeat(plots[1].canvas, picture, { ...scale, gain });
    if (target) drawDifference(plots[2].canvas, target, picture, { ...scale, gain });
    plots.slice(1).forEach((plot) => drawLines(plot, view, picture, gain));
  }
  plots.forEach(({ axis }) => markAxis(axis, base));
};
plots.forEach(({ figure }) => one("#plots").append(figure));

// ---------------------------------------------------------------- the parts
let shownSource = null;
const changed = () => {
  draw();
  const answer = deck.answer();
  all("#answers > button").forEach((card, i) => {
    card.setAttribute("aria-pressed", String(deck.sources()[i + 1] === answer));
    tellCard(card, deck.sources()[i + 1]);
  });
  if (answer && answer.shelf === "matches" && answer !== shownSource) {
    shownSource = answer;
    turning.show(open.id, answer);
    building.show(open.id, answer);
  }
  if (answer) showTake(answer);
};
const deck = makeDeck({ changed });
// A press moves the playhead and chooses the sound; a drag loops a part.
plots.forEach(({ plot }, index) => {
  deck.loop.listen(plot, (at) => {
    if (index < 2) deck.hear(index === 0 ? 0 : deck.sources().indexOf(deck.answer()));
    deck.playhead.seek(at);
  });
});
const building = makeBuilding();
const turning = makeTurning({
  turned: async (source) => {
    building.turned();
    one("#shape-state").textContent = "rendering …";
    try {
      await deck.loadAnswer(open.id, source);
      one("#shape-state").textContent = isTurned(source) && source.picture ? ["turned", nearness(source)].filter(Boolean).join(": ") : "as matched";
      await turning.refreshTexts();
    } catch (error) {
      one("#shape-state").textContent = "";
      complain(error);
    }
  },
});
const nearness = ({ picture }) => (picture.distance === null ? "" : `${picture.distance.toFixed(2)} dB from the target`);
const piano = makePiano({
  press: async (pitch, played) => {
    const source = deck.answer();
    if (!source) return;
    const note = { pitch, velocity: played.velocity, hold: played.hold };
    try {
      await deck.strike(source, ["sound", "picture"].map((what) =>
        addressOf(open.id, source.shelf, source.number, what, { ...source.turns, note })));
    } catch (error) { complain(error); }
  },
});

// ---------------------------------------------------------------- answers
const sourceOf = (shelf, found) => ({ shelf, number: found.number, found, turns: { macros: {}, controls: {} }, locks: new Set(), buffer: null, picture: null });
const tellCard = (card, source) => {
  if (!source) return;
  card.querySelector(".state").textContent = isTurned(source) ? "turned" : source.buffer ? "" : "rendering …";
};
const cardOf = (source, index) => {
  const { found } = source;
  const card = make("button", { type: "button", className: "offer" },
    make("span", { className: "rank", textContent: index, aria: { hidden: "true" } }),
    make("span", { className: "words" }, make("b", { textContent: found.sentence ?? `Best after ${found.renders} ${found.renders === 1 ? "render" : "renders"}` }),
      make("small", { textContent: (found.lineage ?? []).join(" › ") }), make("small", { className: "state" })),
    make("span", { className: "number" }, make("strong", { textContent: found.distance.toFixed(2) }), make("small", { textContent: "distance" })));
  card.setAttribute("aria-pressed", "false");
  card.addEventListener("click", () => deck.hear(index));
  return card;
};
const offer = (shelf, found) => {
  const target = deck.sources()[0] ?? { shelf: "target", number: 0, turns: {}, buffer: null, picture: null, silent: open.silent };
  const kept = new Map(deck.sources().slice(1).map((source) => [`${source.shelf}/${source.number}`, source]));
  const answers = found.map((item) => kept.get(`${shelf}/${item.number}`) ?? sourceOf(shelf, item));
  deck.set([target, ...answers]);
  one("#answers").replaceChildren(...answers.map((source, i) => cardOf(source, i + 1)));
  if (!target.silent && !target.buffer && !target.loading) deck.loadTarget(open.id).catch(complain);
  (async () => {
    const mine = open;
    for (const source of answers) {
      if (mine !== open || !deck.sources().includes(source)) return;
      if (source.buffer || source.loading) continue;
      // One that has been bettered meanwhile is no longer kept.
      await deck.loadAnswer(mine.id, source).catch((error) => { if (error.status !== 404) complain(error); });
    }
  })();
  changed();
};
const offerSoFar = later(() => {
  if (!open || open.over) return;
  offer("so-far", open.events.filter(({ event }) => event === "improved").slice(-SHOWN).reverse());
}, 700);

// ---------------------------------------------------------------- one job
const tell = (event) => {
  open.events.push(event);
  const words = wordsOf(event), nearest = event.event === "improved";
  if (words) open[nearest ? "nearest" : "stage"] = words;
  if (words) one("#status").textContent = [open.stage, open.nearest].filter(Boolean).join(" · ");
  one("#course path").setAttribute("d", courseOf(open.events));
  if (event.event === "listened") heard(event);
  if (event.event === "warned") complain(new Error(event.message.replace(/^./, (letter) => letter.toUpperCase())));
  if (event.event === "improved") offerSoFar();
  if (["finished", "failed", "cancelled"].includes(event.event)) ended(event);
};
const heard = (event) => {
  open.note = event.note;
  open.silent = event.audible === false;
  one("#work").classList.toggle("silent", open.silent);
  const key = open.silent ? `in words, heard at ${event.note.name}` : event.pitched ? `plays ${event.note.name}` : "no pitch";
  one("#facts").textContent = [key, !open.silent && `${event.seconds.toFixed(2)} s`, open.info?.synth === "dx7" ? "DX7" : open.info?.synth?.replace(/^./, (l) => l.toUpperCase()),
    !open.silent && open.info && (open.info.track === "any" ? "anything goes" : "knobs only")].filter(Boolean).join(" · ");
  piano.show(event.note);
  if (!deck.sources().length) offer("so-far", []);
};
const ended = (event) => {
  open.over = true;
  one("#cancel").hidden = true;
  one("#progress").hidden = event.event === "finished";
  if (event.event !== "finished") {
    one("#status").textContent = event.event === "failed" ? "It did not work." : "Cancelled.";
    complain(new Error(event.message.replace(/^./, (letter) => letter.toUpperCase())));
    return;
  }
  open.matches = event.matches;
  offer("matches", event.matches.slice(0, about.matches));
  one("#shape").hidden = one("#take").hidden = false;
  Object.assign(one("#report"), { hidden: false, href: `/api/jobs/${open.id}/report` });
};
const showTake = (source) => {
  const turns = source.turns;
  one("#download").href = addressOf(open.id, source.shelf, source.number, "preset", turns);
  one("#download-sound").href = addressOf(open.id, source.shelf, source.number, "sound", turns);
  one("#download-sound").download = (source.found.sound ?? "sound.wav").replace(".wav", isTurned(source) ? "-turned.wav" : ".wav");
  one("#install").hidden = !about.synths.find(({ name }) => name === open.info?.synth)?.installs;
};
const show = async (id) => {
  open?.stop();
  deck.reset();
  complain(null);
  shownSource = null;
  one("#intake").hidden = Boolean(id);
  one("#work").hidden = !id;
  for (const part of ["#shape", "#take", "#report"]) one(part).hidden = true;
  for (const part of ["#answers", "#macros", "#piano", "#locks"]) one(part).replaceChildren();
  one("#facts").textContent = one("#shape-state").textContent = one("#taken").textContent = "";
  open = null;
  document.title = "menura";
  if (!id) return;
  const mine = open = { id, events: [], info: null, over: false, stop: () => {} };
  try {
    mine.info = await getJson(`/api/jobs/${id}`);
  } catch (error) {
    location.hash = "";
    return complain(error);
  }
  if (open !== mine) return;
  one("#work-title").textContent = mine.info.name;
  document.title = `${mine.info.name} – menura`;
  one("#progress").hidden = one("#cancel").hidden = mine.info.state === "finished";
  mine.stop = watchJob(id, (event) => open === mine && tell(event), (lost) => {
    if (lost && open === mine) one("#status").textContent = "The line is broken; trying again …";
  });
};
const go = (id) => { if (location.hash === `#${id}`) show(id); else location.hash = id; };
window.addEventListener("hashchange", () => show(location.hash.slice(1)));

one("#home").addEventListener("click", (event) => { event.preventDefault(); go(""); });
one("#cancel").addEventListener("click", async () => {
  one("#cancel").hidden = true;
  one("#status").textContent = "Stopping …";
  try { await post(`/api/jobs/${open.id}/cancel`); } catch (error) { complain(error); }
});
one("#install").addEventListener("click", async () => {
  const source = deck.answer();
  try {
    const { path } = await post(addressOf(open.id, source.shelf, source.number, "install", source.turns));
    one("#taken").textContent = `Saved: ${path}`;
  } catch (error) { complain(error); }
});
one("#again").addEventListener("click", async () => {
  const source = deck.answer();
  try {
    const job = await post(`/api/jobs/${open.id}/again`, { number: source.number, ...source.turns, lock: [...source.locks] });
    go(job.id);
    window.scrollTo({ top: 0 });
  } catch (error) { complain(error); }
});
for (const box of ["#show-envelope", "#show-pitch"]) one(box).addEventListener("change", draw);

about = await getJson("/api/about").catch((error) => { complain(error); throw error; });
makeIntake({ about, begun: (job) => go(job.id) });
makePast({ open: go, removed: (id) => { if (open?.id === id) go(""); } });
document.body.dataset.ready = "true";
await show(location.hash.slice(1));
