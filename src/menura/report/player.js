"use strict";
// One playhead for the target and every answer: all of them run at once on the audio clock, and only the chosen
// one is let through, so that switching never moves the playhead nor leaves a gap.
(() => {
  const one = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const tags = all(".native audio");
  const buttons = all("button.source");
  const box = one(".player");
  const seconds = Number(box.dataset.seconds);
  const slider = one("#position");
  const FADE = 0.008;
  let context = null, buffers = null, live = [], playing = false, startedAt = 0, offset = 0, heard = 0, answer = 1;

  const bytes = (uri) => Uint8Array.from(atob(uri.slice(uri.indexOf(",") + 1)), (c) => c.charCodeAt(0));
  const gain = (index) =>
    index !== heard ? 0 : one("#even").checked ? 10 ** (Number(tags[index].dataset.gainDb) / 20) : 1;

  // Decoding needs no permission to play, so it is done at once; lengths are known before the first click.
  const decoded = (async () => {
    const decoder = new OfflineAudioContext(1, 1, 44100);
    buffers = await Promise.all(tags.map((tag) => decoder.decodeAudioData(bytes(tag.src).buffer)));
    buttons.forEach((button, i) => { button.dataset.duration = buffers[i].duration.toFixed(3); });
    box.dataset.ready = "true";
  })();
  decoded.catch((error) => { box.dataset.ready = "failed"; document.body.classList.remove("scripted"); throw error; });

  const now = () => {
    if (!playing) return offset;
    const at = offset + Math.max(0, context.currentTime - startedAt);
    return one("#loop").checked ? at % seconds : Math.min(at, seconds);
  };
  const halt = () => { live.forEach(({ source }) => { source.onended = null; source.stop(); }); live = []; };

  const begin = (at) => {
    halt();
    offset = at;
    startedAt = context.currentTime + 0.02;
    live = buffers.map((buffer, index) => {
      const source = context.createBufferSource(), level = context.createGain();
      // Every sound is brought to the same length, so that loops stay together.
      source.buffer = padded(buffer);
      source.loop = one("#loop").checked;
      source.connect(level).connect(context.destination);
      level.gain.value = gain(index);
      source.start(startedAt, at);
      return { source, level };
    });
    live[0].source.onended = () => { if (playing) { stop(); seek(0); } };
  };
  const padded = (buffer) => {
    const length = Math.round(seconds * buffer.sampleRate);
    if (buffer.length === length) return buffer;
    const longer = new AudioBuffer({ length, numberOfChannels: buffer.numberOfChannels, sampleRate: buffer.sampleRate });
    for (let c = 0; c < buffer.numberOfChannels; c += 1) longer.copyToChannel(buffer.getChannelData(c).subarray(0, length), c);
    return longer;
  };

  const play = async () => {
    await decoded;
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
    if (index >= tags.length) return;
    heard = index;
    if (index > 0) answer = index;
    level();
    show();
  };
  const level = () => live.forEach(({ level }, i) => level.gain.setTargetAtTime(gain(i), context.currentTime, FADE));

  const show = () => {
    box.classList.toggle("playing", playing);
    one("#play").setAttribute("aria-label", playing ? "Pause" : "Play");
    buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(i === heard)));
    all("figure[data-hears]").forEach((f) => f.classList.toggle("hears", Number(f.dataset.hears) === heard));
  };
  const draw = () => {
    const at = now();
    if (document.activeElement !== slider || playing) slider.value = at;
    slider.setAttribute("aria-valuetext", `${at.toFixed(2)} seconds`);
    one("#clock").textContent = `${at.toFixed(2)} / ${seconds.toFixed(2)} s`;
    document.documentElement.style.setProperty("--playhead", `${(100 * at) / seconds}%`);
    if (playing) requestAnimationFrame(draw);
  };
  const toggle = () => (playing ? stop() : play());
  const swap = () => hear(heard === 0 ? Math.min(answer, tags.length - 1) : 0);

  one("#play").addEventListener("click", toggle);
  one("#swap").addEventListener("click", swap);
  slider.addEventListener("input", () => seek(Number(slider.value)));
  one("#even").addEventListener("change", level);
  one("#loop").addEventListener("change", () => playing && begin(now()));
  buttons.forEach((button, index) => button.addEventListener("click", () => hear(index)));
  all(".plot").forEach((plot) => plot.addEventListener("click", (event) => {
    const edge = plot.getBoundingClientRect();
    const figure = plot.closest("figure");
    if (figure.dataset.hears !== undefined) hear(Number(figure.dataset.hears));
    seek((seconds * (event.clientX - edge.left)) / edge.width);
  }));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const plain = !event.target.closest("input, button, a, summary, [contenteditable]");
    const key = event.key.toLowerCase();
    if (key === " " && plain) toggle();
    else if (key === "x") swap();
    else if (key === "t") hear(0);
    else if (/^[1-9]$/.test(key)) hear(Number(key));
    else if (key === "arrowright" && plain) seek(now() + 0.1);
    else if (key === "arrowleft" && plain) seek(now() - 0.1);
    else return;
    event.preventDefault();
  });

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
  draw();
})();
