"use strict";
// The page of a benchmark: cards are made when they come into view, sounds are decoded when they are asked for. All
// sounds of the chosen target run at once on one clock and only one is let through, so that a switch keeps the playhead.
(() => {
  const one = (selector) => document.querySelector(selector);
  const data = JSON.parse(one("#data").textContent);
  const metrics = new Map(data.metrics.map((metric) => [metric.name, metric]));
  const shown = data.main.map((name) => metrics.get(name));
  const AT_ONCE = 12, FADE = 0.008;

  // ---------------------------------------------------------------- words and elements
  const make = (tag, fields = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), fields);
    element.append(...children);
    return element;
  };
  const number = (value, metric) =>
    value === null || value === undefined ? "–" : value.toFixed(metric.places).replace("-", "−");
  const title = (metric) => `${metric.title}${metric.unit ? ` ${metric.unit}` : ""}`;
  const pitchName = (pitch) => (pitch === null ? "" : `MIDI ${Math.round(100 * pitch) / 100}`);

  // ---------------------------------------------------------------- which targets, in which order
  const cost = (row, metric) => {
    const value = row?.metrics?.[metric.name];
    if (value === null || value === undefined) return null;
    return metric.better === "higher" ? -value : metric.better === "zero" ? Math.abs(value) : value;
  };
  const worst = (item, arm, metric) => {
    const rows = arm ? [item.rows[arm]] : data.arms.filter((a) => a.track !== "reference").map((a) => item.rows[a.name]);
    if (rows.some((row) => row?.error)) return Infinity;
    const costs = rows.map((row) => cost(row, metric)).filter((value) => value !== null);
    return costs.length ? Math.max(...costs) : null;
  };
  const failed = (item, arm) => (arm ? [item.rows[arm]] : Object.values(item.rows)).some((row) => row?.error);
  const chosenItems = () => {
    const arm = one("#arm").value, metric = metrics.get(one("#metric").value), order = one("#order").value;
    const find = one("#find").value.trim().toLowerCase();
    const found = data.items.filter((item) =>
      ["category", "source", "condition"].every((name) => !one(`#${name}`).value || item[name] === one(`#${name}`).value) &&
      (!one("#failures").checked || failed(item, arm)) && (!find || item.key.toLowerCase().includes(find)));
    if (order === "name") return found.sort((a, b) => a.key.localeCompare(b.key));
    const sign = order === "worst" ? -1 : 1;
    const places = new Map(found.map((item) => [item, worst(item, arm, metric)]));
    // What was not measured comes last in both orders.
    return found.sort((a, b) => {
      const [x, y] = [places.get(a), places.get(b)];
      if (x === null || y === null) return (x === null) - (y === null);
      return x === y ? 0 : sign * (x < y ? -1 : 1);
    });
  };

  // ---------------------------------------------------------------- cards
  let listed = [], made = 0;
  const refresh = () => {
    listed = chosenItems();
    made = 0;
    one("#items").replaceChildren();
    one("#count").textContent = `${listed.length} of ${data.items.length} targets`;
    more();
  };
  const more = () => {
    const next = listed.slice(made, made + AT_ONCE);
    made += next.length;
    one("#items").append(...next.map(card));
    one("#more").hidden = made >= listed.length;
    if (deck?.buffers && next.includes(deck.item)) pictures();
    show();
  };
  const hearButton = (item, source, label, words) => {
    const known = source !== null;
    const button = make("button", { type: "button", className: "hear", disabled: !known, textContent: label });
    button.dataset.item = item.key;
    button.dataset.label = label;
    button.setAttribute("aria-label", known ? words : `${words}: no sound`);
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => press(item, label));
    return button;
  };
  const card = (item) => {
    const sorted = metrics.get(one("#metric").value);
    const columns = shown.includes(sorted) ? shown : [...shown, sorted];
    const heading = make("h3", { textContent: item.id });
    const facts = [item.condition === "clean" ? "" : item.condition, item.category, item.source, pitchName(item.pitch),
      item.judged_pitch === null || item.judged_pitch === undefined ? "" : `judged at ${pitchName(item.judged_pitch)}`,
      item.licence].filter(Boolean).join(" · ");
    const head = make("tr", {}, ...["Hear", ...columns.map(title), "How", "Files"].map((text) =>
      make("th", { scope: "col", textContent: text })));
    const target = make("tr", {},
      make("th", { scope: "row" }, hearButton(item, item.target, "Target", `Hear the target ${item.id}`)),
      make("td", { colSpan: columns.length }), make("td", { className: "how", textContent: "the sound to match" }),
      make("td", { className: "files" }, ...link(item.target?.link, "sound", `target ${item.id}`)));
    const rows = data.arms.filter((arm) => item.rows[arm.name]).map((arm) => armRow(item, arm, columns));
    const table = make("table", {}, make("thead", {}, head), make("tbody", {}, target, ...rows));
    const box = make("div", { className: "scroll", tabIndex: 0 }, table);
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", `Answers to ${item.key}`);
    const article = make("article", { className: "card item" },
      make("div", { className: "title" }, make("div", {}, heading, make("p", { className: "facts-line", textContent: facts }))),
      box);
    article.dataset.item = item.key;
    return article;
  };
  const link = (href, text, words) => {
    if (!href) return [];
    const anchor = make("a", { href, textContent: text });
    anchor.setAttribute("aria-label", `${text} of ${words}`);
    anchor.setAttribute("download", "");
    return [anchor, " "];
  };
  const armRow = (item, arm, columns) => {
    const row = item.rows[arm.name];
    const hear = make("th", { scope: "row" },
      hearButton(item, row.sound, arm.name, `Hear ${arm.name} on ${item.id}`));
    if (!row.metrics) {
      const why = row.error ? `failed: ${row.error}` : `not applicable: ${row.skipped}`;
      return make("tr", {}, hear, make("td", { colSpan: columns.length }),
        make("td", { className: `how${row.error ? " error" : ""}`, textContent: why }), make("td"));
    }
    const cells = columns.map((metric) => make("td", {
      textContent: number(row.metrics[metric.name], metric) + (arm.optimised.includes(metric.name) ? " †" : "") }));
    const how = [row.silent ? "SILENT" : "", row.verdict, (row.lineage ?? []).join(" › "),
      row.seconds === undefined ? "" : `${row.seconds.toFixed(1)} s, ${row.renders ?? 0} renders`].filter(Boolean);
    return make("tr", {}, hear, ...cells, make("td", { className: "how", textContent: how.join(" · ") }),
      make("td", { className: "files" }, ...link(row.preset, "preset", `${arm.name} on ${item.id}`),
        ...link(row.sound?.link, "sound", `${arm.name} on ${item.id}`)));
  };

  // ---------------------------------------------------------------- what is heard
  let context = null, deck = null, playing = false, startedAt = 0, offset = 0, seconds = 1, heard = 0, answer = 1;
  const level = (index) => {
    const own = deck.sources[index].gain;
    // Media elements only turn down: all of them by what the loudest of the item needs.
    const room = deck.buffers ? 0 : Math.max(0, ...deck.sources.map((source) => source.gain));
    return one("#even").checked ? 10 ** ((own - room) / 20) : 1;
  };
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const load = async (item) => {
    if (deck?.item === item) return deck.ready;
    halt();
    playing = false;
    const sources = [{ label: "Target", ...item.target }];
    for (const arm of data.arms) {
      const sound = item.rows[arm.name]?.sound;
      if (sound) sources.push({ label: arm.name, ...sound });
    }
    const mine = deck = { item, sources: item.target ? sources : sources.slice(1), buffers: null, live: [] };
    offset = 0;
    heard = 0;
    answer = 1;
    fill();
    mine.ready = (async () => {
      if (mine.sources.every((source) => source.id)) {
        const decoder = new OfflineAudioContext(1, 1, 44100);
        const found = await Promise.all(mine.sources.map((source) =>
          decoder.decodeAudioData(bytes(document.getElementById(source.id).textContent).buffer)));
        mine.buffers = found;
        mine.seconds = Math.max(...found.map((buffer) => buffer.duration));
      } else {
        mine.elements = mine.sources.map((source) => Object.assign(new Audio(source.link), { preload: "auto" }));
        const known = await Promise.all(mine.elements.map((element) => new Promise((done) => {
          element.addEventListener("loadedmetadata", () => done(element.duration), { once: true });
          element.addEventListener("error", () => done(0), { once: true });
        })));
        mine.seconds = Math.max(0.01, ...known);
        mine.gone = known.every((length) => length === 0);
      }
      if (deck !== mine) return;
      seconds = mine.seconds;
      one("#position").max = seconds;
      one("#deck").dataset.ready = mine.gone ? "gone" : mine.buffers ? "inside" : "linked";
      if (mine.buffers) setTimeout(() => deck === mine && pictures(), 30);
      draw();
    })();
    return mine.ready;
  };
  // Pictures are drawn for the chosen target alone, one sound after the other, so that listening never waits for them.
  const pictures = () => {
    document.querySelectorAll(".spectra").forEach((strip) => strip.remove());
    const mine = deck, article = articleOf(mine.item);
    if (!article) return;
    const strip = make("div", { className: "spectra" });
    article.append(strip);
    const next = (index) => {
      if (deck !== mine || index >= mine.sources.length) return;
      const { label } = mine.sources[index];
      const canvas = make("canvas");
      const plot = make("div", { className: "plot heat" }, canvas, make("div", { className: "hz" },
        ...[[100, "100"], [1000, "1k"], [10000, "10k Hz"]].map(([hz, text]) => {
          const mark = make("span", { textContent: text });
          mark.style.top = `${100 * spectrogram.rowOf(hz)}%`;
          return mark;
        })), make("i", { className: "playhead" }));
      plot.setAttribute("role", "img");
      plot.setAttribute("aria-label", `Spectrogram of ${label}, ${seconds.toFixed(1)} s`);
      plot.addEventListener("click", (event) => {
        const edge = plot.getBoundingClientRect();
        hear(index);
        seek((seconds * (event.clientX - edge.left)) / edge.width);
      });
      const figure = make("figure", {}, make("figcaption", { textContent: label }), plot);
      figure.dataset.hears = index;
      strip.append(figure);
      spectrogram.draw(canvas, mine.buffers[index], seconds);
      show();
      setTimeout(() => next(index + 1), 0);
    };
    next(0);
  };
  const articleOf = (item) => document.querySelector(`article[data-item="${CSS.escape(item.key)}"]`);
  const fill = () => {
    one("#deck").hidden = false;
    one("#deck").dataset.ready = "";
    one("#heard-item").textContent = deck.item.key;
    one("#sources").replaceChildren(...deck.sources.map((source, index) => {
      const button = make("button", { type: "button", textContent: source.label });
      button.setAttribute("aria-label", `Hear ${source.label}`);
      button.addEventListener("click", () => hear(index));
      return button;
    }));
    show();
  };
  const now = () => {
    if (!playing) return offset;
    if (deck.elements) return deck.elements[heard].currentTime;
    const at = offset + Math.max(0, context.currentTime - startedAt);
    return one("#loop").checked ? at % seconds : Math.min(at, seconds);
  };
  const halt = () => {
    deck?.live.forEach(({ source }) => { source.onended = null; source.stop(); });
    if (deck) deck.live = [];
    deck?.elements?.forEach((element) => element.pause());
  };
  const padded = (buffer) => {
    const length = Math.round(seconds * buffer.sampleRate);
    if (buffer.length === length) return buffer;
    const longer = new AudioBuffer({ length, numberOfChannels: buffer.numberOfChannels, sampleRate: buffer.sampleRate });
    for (let c = 0; c < buffer.numberOfChannels; c += 1) longer.copyToChannel(buffer.getChannelData(c).subarray(0, length), c);
    return longer;
  };
  const begin = (at) => {
    halt();
    offset = at;
    if (deck.elements) {
      const element = deck.elements[heard];
      Object.assign(element, { currentTime: Math.min(at, element.duration || 0), loop: one("#loop").checked, volume: level(heard) });
      element.onended = () => { if (playing && !element.loop) { stop(); seek(0); } };
      element.play().catch(() => stop());
      return;
    }
    startedAt = context.currentTime + 0.02;
    deck.live = deck.buffers.map((buffer, index) => {
      const source = context.createBufferSource(), gain = context.createGain();
      source.buffer = padded(buffer);
      source.loop = one("#loop").checked;
      source.connect(gain).connect(context.destination);
      gain.gain.value = index === heard ? level(index) : 0;
      source.start(startedAt, at);
      return { source, gain };
    });
    deck.live[0].source.onended = () => { if (playing) { stop(); seek(0); } };
  };
  const play = async () => {
    if (!deck) return;
    const mine = deck;
    await mine.ready;
    if (mine !== deck || mine.gone) return;
    context ??= new AudioContext();
    await context.resume();
    begin(now() >= seconds - 0.001 ? 0 : now());
    playing = true;
    show();
    requestAnimationFrame(draw);
  };
  const stop = () => { offset = now(); playing = false; halt(); show(); draw(); };
  const seek = (at) => {
    offset = Math.min(seconds, Math.max(0, at));
    if (playing) begin(Math.min(offset, seconds - 0.001));
    draw();
  };
  const hear = (index) => {
    if (!deck || index >= deck.sources.length) return;
    const at = now();
    heard = index;
    if (index > 0) answer = index;
    if (playing && deck.elements) begin(at);
    levels();
    show();
  };
  const levels = () => {
    deck?.live.forEach(({ gain }, i) => gain.gain.setTargetAtTime(i === heard ? level(i) : 0, context.currentTime, FADE));
    if (deck?.elements) deck.elements[heard].volume = level(heard);
  };
  const press = async (item, label) => {
    const index = () => deck.sources.findIndex((source) => source.label === label);
    if (deck?.item === item && playing && index() === heard) return stop();
    const same = deck?.item === item;
    const ready = load(item);
    hear(index());
    await ready;
    if (deck.item === item && !(same && playing)) await play();
  };
  const step = (by) => {
    const place = listed.indexOf(deck?.item) + by;
    if (place < 0 || place >= listed.length) return;
    while (made <= place) more();
    const label = deck?.sources[heard]?.label ?? "Target";
    const item = listed[place];
    const has = label === "Target" ? item.target : item.rows[label]?.sound;
    articleOf(item).scrollIntoView({ block: "nearest" });
    if (has || item.target) press(item, has ? label : "Target");
  };

  // ---------------------------------------------------------------- what is shown
  const show = () => {
    const label = deck?.sources[heard]?.label;
    one("#deck").classList.toggle("playing", playing);
    one("#play").setAttribute("aria-label", playing ? "Pause" : "Play");
    [...one("#sources").children].forEach((button, i) => button.setAttribute("aria-pressed", String(i === heard)));
    document.querySelectorAll(".hear").forEach((button) => button.setAttribute("aria-pressed",
      String(playing && button.dataset.item === deck?.item.key && button.dataset.label === label)));
    document.querySelectorAll(".spectra figure").forEach((figure) =>
      figure.classList.toggle("hears", Number(figure.dataset.hears) === heard));
    document.querySelectorAll("article.item").forEach((article) =>
      article.classList.toggle("chosen", article.dataset.item === deck?.item.key));
  };
  const draw = () => {
    const at = now(), slider = one("#position");
    if (document.activeElement !== slider || playing) slider.value = at;
    slider.setAttribute("aria-valuetext", `${at.toFixed(2)} seconds`);
    document.documentElement.style.setProperty("--playhead", `${(100 * at) / seconds}%`);
    one("#clock").textContent = `${at.toFixed(2)} / ${seconds.toFixed(2)} s`;
    if (playing) requestAnimationFrame(draw);
  };
  const toggle = () => (playing ? stop() : play());

  one("#play").addEventListener("click", toggle);
  one("#swap").addEventListener("click", () => deck && hear(heard === 0 ? Math.min(answer, deck.sources.length - 1) : 0));
  one("#position").addEventListener("input", () => seek(Number(one("#position").value)));
  one("#even").addEventListener("change", levels);
  one("#loop").addEventListener("change", () => playing && begin(now()));
  one(".choices").addEventListener("input", refresh);
  one(".choices").addEventListener("submit", (event) => event.preventDefault());
  one("#more").addEventListener("click", more);
  new IntersectionObserver((seen) => seen.some((entry) => entry.isIntersecting) && made < listed.length && more(),
    { rootMargin: "600px" }).observe(one("#more"));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("select, input[type=search]")) return;
    const plain = !event.target.closest("input, button, a, summary, [contenteditable]");
    const key = event.key.toLowerCase();
    if (key === "n") step(1);
    else if (key === "p") step(-1);
    else if (!deck) return;
    else if (key === " " && plain) toggle();
    else if (key === "x") one("#swap").click();
    else if (key === "t") hear(0);
    else if (/^[1-9]$/.test(key)) hear(Number(key));
    else if (key === "arrowright" && plain) seek(now() + 0.1);
    else if (key === "arrowleft" && plain) seek(now() - 0.1);
    else return;
    event.preventDefault();
  });

  document.body.classList.add("scripted");
  refresh();
})();
