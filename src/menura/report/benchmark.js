"use strict";
// The page of a benchmark: cards are made when they come into view, sounds are decoded when they are asked for.
(() => {
  const one = (selector) => document.querySelector(selector);
  const data = JSON.parse(one("#data").textContent);
  const metrics = new Map(data.metrics.map((metric) => [metric.name, metric]));
  const shown = data.main.map((name) => metrics.get(name));
  const AT_ONCE = 12;

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
  let deck = null, seconds = 1, heard = 0, answer = 1;
  const level = (index) => {
    const own = deck.sources[index].gain;
    // Media elements only turn down: all of them by what the loudest of the item needs.
    const room = deck.buffers ? 0 : Math.max(0, ...deck.sources.map((source) => source.gain));
    return one("#even").checked ? 10 ** ((own - room) / 20) : 1;
  };
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const load = async (item) => {
    if (deck?.item === item) return deck.ready;
    playhead.reset();
    const sources = [{ label: "Target", ...item.target }];
    for (const arm of data.arms) {
      const sound = item.rows[arm.name]?.sound;
      if (sound) sources.push({ label: arm.name, ...sound });
    }
    const mine = deck = { item, sources: item.target ? sources : sources.slice(1), buffers: null };
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
      playhead.draw();
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
        playhead.seek((seconds * (event.clientX - edge.left)) / edge.width);
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
  const hear = (index) => {
    if (!deck || index >= deck.sources.length) return;
    playhead.change(() => {
      heard = index;
      if (index > 0) answer = index;
    });
    show();
  };
  const press = async (item, label) => {
    const index = () => deck.sources.findIndex((source) => source.label === label);
    if (deck?.item === item && playhead.playing() && index() === heard) return playhead.stop();
    const same = deck?.item === item;
    const ready = load(item);
    hear(index());
    await ready;
    if (deck.item === item && !(same && playhead.playing())) await playhead.play();
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
    const playing = playhead.playing();
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
  const playhead = makePlayhead({
    seconds: () => seconds,
    ready: async () => {
      const mine = deck;
      await mine?.ready;
      return mine && mine === deck && !mine.gone;
    },
    buffers: () => deck?.buffers,
    elements: () => deck?.elements,
    heard: () => heard,
    level,
    show,
    hear,
    swap: () => deck && hear(heard === 0 ? Math.min(answer, deck.sources.length - 1) : 0),
    keys: { n: () => step(1), p: () => step(-1) },
    empty: () => !deck,
  });

  one(".choices").addEventListener("input", refresh);
  one(".choices").addEventListener("submit", (event) => event.preventDefault());
  one("#more").addEventListener("click", more);
  new IntersectionObserver((seen) => seen.some((entry) => entry.isIntersecting) && made < listed.length && more(),
    { rootMargin: "600px" }).observe(one("#more"));

  document.body.classList.add("scripted");
  refresh();
})();
