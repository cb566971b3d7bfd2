"use strict";
// The report's player: the target and every answer, decoded from the page itself.
(() => {
  const one = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const tags = all(".native audio");
  const buttons = all("button.source");
  const box = one(".player");
  const seconds = Number(box.dataset.seconds);
  // Answers count from 1; 0 is the target, where there is one.
  const first = box.dataset.target === "1" ? 0 : 1;
  let buffers = null, heard = 0, other = Math.min(1, tags.length - 1);

  const bytes = (uri) => Uint8Array.from(atob(uri.slice(uri.indexOf(",") + 1)), (c) => c.charCodeAt(0));

  // Decoding needs no permission to play, so it is done at once; lengths are known before the first click.
  const decoded = (async () => {
    const decoder = new OfflineAudioContext(1, 1, 44100);
    buffers = await Promise.all(tags.map((tag) => decoder.decodeAudioData(bytes(tag.src).buffer)));
    buttons.forEach((button, i) => { button.dataset.duration = buffers[i].duration.toFixed(3); });
    box.dataset.ready = "true";
  })();
  decoded.catch((error) => { box.dataset.ready = "failed"; document.body.classList.remove("scripted"); throw error; });

  const hear = (number) => {
    const index = number - first;
    if (!(index in tags) || index === heard) return;
    playhead.change(() => {
      // What X goes back to: beside a target always an answer, without one the answer before.
      if (first === 1) other = heard;
      else if (index > 0) other = index;
      heard = index;
    });
    show();
  };
  const show = () => {
    box.classList.toggle("playing", playhead.playing());
    one("#play").setAttribute("aria-label", playhead.playing() ? "Pause" : "Play");
    buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(i === heard)));
    all("figure[data-hears]").forEach((f) => f.classList.toggle("hears", Number(f.dataset.hears) - first === heard));
  };
  const loop = makeLoop({ seconds: () => seconds, now: () => playhead.now(), changed: () => playhead.refresh() });
  const playhead = makePlayhead({
    seconds: () => seconds,
    ready: async () => { await decoded; return true; },
    buffers: () => buffers,
    heard: () => heard,
    level: (index) => (one("#even").checked ? 10 ** (Number(tags[index].dataset.gainDb) / 20) : 1),
    show,
    hear,
    swap: () => hear(first + (first === 0 && heard > 0 ? 0 : other)),
    region: loop.part,
    keys: loop.keys,
  });

  buttons.forEach((button, index) => button.addEventListener("click", () => hear(index + first)));
  all(".plot").forEach((plot) => loop.listen(plot, (at) => {
    const figure = plot.closest("figure");
    if (figure.dataset.hears !== undefined) hear(Number(figure.dataset.hears));
    playhead.seek(at);
  }));

  // The presets travel inside the page, packed; where the browser cannot unpack, the file beside the page serves.
  all("a[data-gzip]").forEach((link) => link.addEventListener("click", async (event) => {
    if (!("DecompressionStream" in window)) return;
    event.preventDefault();
    const packed = new Blob([bytes(`,${link.dataset.gzip}`)]);
    const body = await new Response(packed.stream().pipeThrough(new DecompressionStream("gzip"))).blob();
    const copy = Object.assign(document.createElement("a"), { href: URL.createObjectURL(body), download: link.download });
    copy.click();
    setTimeout(() => URL.revokeObjectURL(copy.href), 60000);
  }));

  document.body.classList.add("scripted");
  show();
  playhead.draw();
})();
