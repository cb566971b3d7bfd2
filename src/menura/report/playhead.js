"use strict";
// One playhead for many sounds: all of them run at once on the audio clock, and only the heard one is let through,
// so that switching never moves the playhead nor leaves a gap. The page says what there is to hear:
//
//   seconds()   length of the whole          ready()     a promise of true where it may play
//   buffers()   the sounds, decoded          elements()  media elements in their stead, or nothing
//   heard()     which one is let through     level(i)    how loud, 1 is as it is
//   show()      called when playing begins and ends      empty()     true where there is nothing to hear yet
//   hear(i), swap(), keys      what the keyboard does
const makePlayhead = ({
  seconds, ready, buffers, elements = () => null, heard, level, show, hear, swap, keys = {}, empty = () => false,
}) => {
  const one = (selector) => document.querySelector(selector);
  const slider = one("#position");
  const FADE = 0.008;
  let context = null, live = [], playing = false, startedAt = 0, offset = 0;

  const gain = (index) => (index === heard() ? level(index) : 0);
  const now = () => {
    if (!playing) return offset;
    if (elements()) return elements()[heard()].currentTime;
    const at = offset + Math.max(0, context.currentTime - startedAt);
    return one("#loop").checked ? at % seconds() : Math.min(at, seconds());
  };
  const halt = () => {
    live.forEach(({ source }) => { source.onended = null; source.stop(); });
    live = [];
    elements()?.forEach((element) => element.pause());
  };
  // Every sound is brought to the same length, so that loops stay together.
  const padded = (buffer) => {
    const length = Math.round(seconds() * buffer.sampleRate);
    if (buffer.length === length) return buffer;
    const longer = new AudioBuffer({ length, numberOfChannels: buffer.numberOfChannels, sampleRate: buffer.sampleRate });
    for (let c = 0; c < buffer.numberOfChannels; c += 1) longer.copyToChannel(buffer.getChannelData(c).subarray(0, length), c);
    return longer;
  };
  const ended = () => { if (playing) { stop(); seek(0); } };
  const begin = (at) => {
    halt();
    offset = at;
    if (elements()) {
      const element = elements()[heard()];
      Object.assign(element, { currentTime: Math.min(at, element.duration || 0), loop: one("#loop").checked, volume: level(heard()) });
      element.onended = () => element.loop || ended();
      element.play().catch(stop);
      return;
    }
    startedAt = context.currentTime + 0.02;
    live = buffers().map((buffer, index) => {
      const source = context.createBufferSource(), volume = context.createGain();
      source.buffer = padded(buffer);
      source.loop = one("#loop").checked;
      source.connect(volume).connect(context.destination);
      volume.gain.value = gain(index);
      source.start(startedAt, at);
      return { source, volume };
    });
    live[0].source.onended = ended;
  };

  const play = async () => {
    if (!(await ready())) return;
    context ??= new AudioContext();
    await context.resume();
    begin(now() >= seconds() - 0.001 ? 0 : now());
    playing = true;
    show();
    requestAnimationFrame(draw);
  };
  const stop = () => { offset = now(); playing = false; halt(); show(); draw(); };
  const seek = (at) => {
    offset = Math.min(seconds(), Math.max(0, at));
    if (playing) begin(Math.min(offset, seconds() - 0.001));
    draw();
  };
  const toggle = () => (playing ? stop() : play());
  const levels = () => {
    live.forEach(({ volume }, index) => volume.gain.setTargetAtTime(gain(index), context.currentTime, FADE));
    if (elements()) elements()[heard()].volume = level(heard());
  };
  // Lets another sound through: `change` moves what `heard` answers.
  const change = (to) => {
    const at = now();
    to();
    if (playing && elements()) begin(at);
    levels();
  };
  // Silence at the beginning, for other sounds.
  const reset = () => { halt(); playing = false; offset = 0; };
  const draw = () => {
    const at = now();
    if (document.activeElement !== slider || playing) slider.value = at;
    slider.setAttribute("aria-valuetext", `${at.toFixed(2)} seconds`);
    one("#clock").textContent = `${at.toFixed(2)} / ${seconds().toFixed(2)} s`;
    document.documentElement.style.setProperty("--playhead", `${(100 * at) / seconds()}%`);
    if (playing) requestAnimationFrame(draw);
  };

  one("#play").addEventListener("click", toggle);
  one("#swap").addEventListener("click", swap);
  slider.addEventListener("input", () => seek(Number(slider.value)));
  one("#even").addEventListener("change", levels);
  one("#loop").addEventListener("change", () => playing && begin(now()));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("select, input[type=search]")) return;
    const plain = !event.target.closest("input, button, a, summary, [contenteditable]");
    const key = event.key.toLowerCase();
    if (keys[key]) keys[key]();
    else if (empty()) return;
    else if (key === " " && plain) toggle();
    else if (key === "x") swap();
    else if (key === "t") hear(0);
    else if (/^[1-9]$/.test(key)) hear(Number(key));
    else if (key === "arrowright" && plain) seek(now() + 0.1);
    else if (key === "arrowleft" && plain) seek(now() - 0.1);
    else return;
    event.preventDefault();
  });
  return { play, stop, seek, change, reset, draw, playing: () => playing };
};
