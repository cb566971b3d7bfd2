// The sounds of one job at one playhead: the target is 0, silent where there are words alone, the answers follow.
// Owns what is decoded and how loud it is.
import { addressOf, getBytes, getJson } from "./api.js";
import { all, make, one } from "./elements.js";
import { unpacked } from "./pictures.js";

/* global makePlayhead, makeLoop */
export const makeDeck = ({ changed }) => {
  let sources = [], heard = 0, answer = 1;
  const decoder = new OfflineAudioContext(1, 1, 44100);
  const playable = () => sources.filter((source) => source.buffer);
  const place = () => Math.max(0, playable().findIndex((source) => source === sources[heard]));
  const seconds = () => Math.max(0.05, ...playable().map(({ buffer }) => buffer.duration));

  const gainDb = (source) => {
    const target = sources[0]?.picture;
    if (!target || !source.picture || source.picture.lufs === null || target.lufs === null) return 0;
    return target.lufs - source.picture.lufs;
  };
  // All of them step back by what the loudest would pass full scale, so that none is clipped and all stay alike.
  const level = (index) => {
    const even = one("#even").checked, shown = playable();
    const over = Math.max(0, ...shown.map((source) => (source.picture?.peak_db ?? 0) + (even ? gainDb(source) : 0)));
    return 10 ** (((even ? gainDb(shown[index]) : 0) - over) / 20);
  };

  const fetchSound = async (address, signal) => {
    const [sound, picture] = address;
    const [bytes, numbers] = await Promise.all([getBytes(sound, { signal }), getJson(picture, { signal })]);
    return { buffer: await decoder.decodeAudioData(bytes), picture: unpacked(numbers) };
  };
  const load = async (source, address) => {
    source.loading?.abort();
    const mine = source.loading = new AbortController();
    try {
      const found = await fetchSound(address, mine.signal);
      if (source.loading !== mine || !sources.includes(source)) return;
      Object.assign(source, found, { loading: null });
      playhead.refresh();
      changed();
    } finally {
      if (source.loading === mine) source.loading = null;
      show();
    }
  };
  const loadTarget = (job) => load(sources[0], [`/api/jobs/${job}/target/sound`, `/api/jobs/${job}/target/picture`]);
  const loadAnswer = (job, source) => load(source, ["sound", "picture"].map((what) =>
    addressOf(job, source.shelf, source.number, what, source.turns)));

  const set = (wanted) => {
    const kept = sources[heard];
    sources = wanted;
    const at = sources.indexOf(kept);
    heard = Math.max(sources[0]?.silent ? 1 : 0, at);
    answer = Math.min(Math.max(1, answer), Math.max(1, sources.length - 1));
    if (playable().length) playhead.refresh();
    else playhead.reset();
    fill();
  };
  const fill = () => {
    one("#sources").replaceChildren(...sources.map((source, index) => {
      const button = make("button", { type: "button", className: "source", textContent: index ? String(index) : "Target" });
      button.setAttribute("aria-label", index ? `Hear answer ${index}` : "Hear the target");
      button.hidden = Boolean(source.silent);
      button.addEventListener("click", () => hear(index));
      return button;
    }));
    one("#swap").hidden = Boolean(sources[0]?.silent);
    show();
  };
  const hear = (index) => {
    if (!sources[index]?.buffer) return;
    playhead.change(() => {
      heard = index;
      if (index > 0) answer = index;
    });
    show();
    changed();
  };
  const show = () => {
    const playing = playhead.playing();
    one("#player").classList.toggle("playing", playing);
    one("#play").setAttribute("aria-label", playing ? "Pause" : "Play");
    one("#play").disabled = !playable().length;
    one("#position").max = seconds();
    all("#sources button").forEach((button, index) => {
      button.setAttribute("aria-pressed", String(index === heard));
      button.disabled = !sources[index]?.buffer;
      button.classList.toggle("busy", Boolean(sources[index]?.loading));
    });
    one("#player").dataset.ready = String(playable().length);
  };
  const loop = makeLoop({ seconds, now: () => playhead.now(), changed: () => { playhead.refresh(); changed(); } });
  const playhead = makePlayhead({
    seconds,
    ready: async () => playable().length > 0,
    buffers: () => playable().map(({ buffer }) => buffer),
    heard: place,
    level,
    region: loop.part,
    show,
    hear,
    swap: () => hear(heard === 0 ? answer : 0),
    empty: () => !playable().length,
    keys: loop.keys,
  });

  // A single note beside the playhead, in the same context and as loud as the answer it belongs to.
  const strike = async (source, address) => {
    const context = await playhead.wake();
    const found = await fetchSound(address);
    const voice = context.createBufferSource(), volume = context.createGain();
    voice.buffer = found.buffer;
    volume.gain.value = 10 ** (Math.min(gainDb(source), -found.picture.peak_db) / 20);
    voice.connect(volume).connect(context.destination);
    voice.start();
    return found;
  };
  return {
    set, hear, show, loadTarget, loadAnswer, strike, playhead, seconds, gainDb, loop,
    reset: () => { playhead.reset(); loop.forget(); set([]); },
    sources: () => sources, heard: () => heard, answer: () => sources[answer],
  };
};
