"use strict";
// One playhead for many sounds: all of them run at once on the audio clock, and only the heard one is let through,
// so that switching never moves the playhead nor leaves a gap. The page says what there is to hear:
//
//   seconds()   length of the whole          ready()     a promise of true where it may play
//   buffers()   the sounds, decoded          elements()  media elements in their stead, or nothing
//   heard()     which one is let through     level(i)    how loud, 1 is as it is
//   region()    start and end of the loop    show()      called when playing begins and ends
//   hear(i), swap(), keys      what the keyboard does    empty()     true where there is nothing to hear yet

// Seconds in which one sound gives way to another: too short to be noticed, too long to click.
const FADE = 0.008;

// Sounds that run together in one context from the moment `when`, at the place `at`; a loop is [start, end] or null.
const makeMix = (context, { buffers, seconds, level, when, at, loop = null, faded = false }) => {
  // Every sound is brought to the same length, so that loops stay together.
  const padded = (buffer) => {
    const length = Math.max(1, Math.round(seconds * buffer.sampleRate));
    if (buffer.length === length) return buffer;
    const longer = new AudioBuffer({ length, numberOfChannels: buffer.numberOfChannels, sampleRate: buffer.sampleRate });
    for (let c = 0; c < buffer.numberOfChannels; c += 1) longer.copyToChannel(buffer.getChannelData(c).subarray(0, length), c);
    return longer;
  };
  const voices = buffers.map((buffer, index) => {
    const source = context.createBufferSource(), volume = context.createGain();
    source.buffer = padded(buffer);
    if (loop) Object.assign(source, { loop: true, loopStart: loop[0], loopEnd: loop[1] });
    source.connect(volume).connect(context.destination);
    volume.gain.value = faded ? 0 : level(index);
    if (faded) volume.gain.setTargetAtTime(level(index), when, FADE);
    source.start(when, at);
    return { source, volume };
  });
  return {
    // Lets another sound through.
    hear: (of, moment) => voices.forEach(({ volume }, index) => volume.gain.setTargetAtTime(of(index), moment, FADE)),
    // Ends, at once or by giving way.
    end: (moment) => voices.forEach(({ source, volume }) => {
      source.onended = null;
      if (moment !== undefined) volume.gain.setTargetAtTime(0, moment, FADE);
      source.stop(moment === undefined ? 0 : moment + 8 * FADE);
    }),
    onended: (call) => { voices[0].source.onended = call; },
  };
};

// The part that loops: from its buttons, the keys [ and ], or a drag across a picture. It is painted by two variables of
// the page, so that every picture shows it.
const makeLoop = ({ seconds, now, changed }) => {
  const one = (selector) => document.querySelector(selector);
  const root = document.documentElement;
  let part = null;
  const paint = (shown) => {
    root.classList.toggle("looping", Boolean(shown));
    if (!shown) return;
    root.style.setProperty("--loop-from", `${(100 * shown[0]) / seconds()}%`);
    root.style.setProperty("--loop-width", `${(100 * (shown[1] - shown[0])) / seconds()}%`);
  };
  const within = (from, to) => [Math.max(0, Math.min(from, to)), Math.min(seconds(), Math.max(from, to))];
  const set = (from, to) => {
    const [start, end] = within(from, to);
    part = end - start >= 0.03 ? [start, end] : null;
    if (part) one("#loop").checked = true;
    one("#loop-all").hidden = !part;
    paint(part);
    changed();
  };
  const from = () => set(now(), part?.[1] > now() ? part[1] : seconds());
  const to = () => set(part?.[0] < now() ? part[0] : 0, now());
  one("#loop-from").addEventListener("click", from);
  one("#loop-to").addEventListener("click", to);
  one("#loop-all").addEventListener("click", () => set(0, 0));
  return {
    set,
    part: () => part && within(...part),
    keys: { "[": from, "]": to },
    // The whole again, for other sounds.
    forget: () => { part = null; one("#loop-all").hidden = true; paint(null); },
    // A press on a picture answers with its time, a drag across it loops what it has crossed.
    listen: (plot, press) => {
      let began = null;
      const at = (event) => {
        const edge = plot.getBoundingClientRect();
        return seconds() * Math.min(1, Math.max(0, (event.clientX - edge.left) / edge.width));
      };
      const far = (event) => Math.abs(event.clientX - began.x) > 8;
      plot.addEventListener("pointerdown", (event) => {
        if (event.button > 0) return;
        began = { x: event.clientX, at: at(event) };
        if (event.isTrusted) plot.setPointerCapture(event.pointerId);
      });
      plot.addEventListener("pointermove", (event) => { if (began && far(event)) paint(within(began.at, at(event))); });
      plot.addEventListener("dragstart", (event) => event.preventDefault());  // the picture itself stays where it is
      plot.addEventListener("pointercancel", () => { began = null; paint(part); });
      plot.addEventListener("pointerup", (event) => {
        if (!began) return;
        const start = began.at, dragged = far(event);
        began = null;
        if (dragged) set(start, at(event));
        else press(at(event));
      });
    },
  };
};

const makePlayhead = ({
  seconds, ready, buffers, elements = () => null, heard, level, show, hear, swap, keys = {}, empty = () => false,
  region = () => null,
}) => {
  const one = (selector) => document.querySelector(selector);
  const slider = one("#position");
  let context = null, mix = null, playing = false, startedAt = 0, offset = 0;

  const gain = (index) => (index === heard() ? level(index) : 0);
  const looped = () => (one("#loop").checked ? region() ?? [0, seconds()] : null);
  const placeAt = (moment) => {
    const at = offset + Math.max(0, moment - startedAt), loop = looped();
    if (!loop) return Math.min(at, seconds());
    return at < loop[1] ? at : loop[0] + ((at - loop[0]) % (loop[1] - loop[0]));
  };
  const now = () => {
    if (!playing) return offset;
    if (elements()) return elements()[heard()].currentTime;
    return placeAt(context.currentTime);
  };
  const halt = () => {
    mix?.end();
    mix = null;
    elements()?.forEach((element) => element.pause());
  };
  const ended = () => { if (playing) { stop(); seek(0); } };
  const begin = (at, giveWay = false) => {
    const loop = looped();
    if (elements()) {
      halt();
      offset = at;
      const element = elements()[heard()];
      Object.assign(element, { currentTime: Math.min(at, element.duration || 0), loop: Boolean(loop), volume: level(heard()) });
      element.onended = () => element.loop || ended();
      element.play().catch(stop);
      return;
    }
    const when = context.currentTime + 0.02, before = mix;
    // What gives way plays on until the other is there.
    const from = giveWay ? placeAt(when) : at;
    if (!giveWay) halt();
    mix = makeMix(context, { buffers: buffers(), seconds: seconds(), level: gain, when, at: from, loop, faded: giveWay });
    if (giveWay) before?.end(when);
    mix.onended(ended);
    [offset, startedAt] = [from, when];
  };

  const wake = async () => {
    context ??= new AudioContext();
    await context.resume();
    return context;
  };
  const play = async () => {
    if (!(await ready())) return;
    await wake();
    const loop = looped();
    const outside = loop && (now() >= loop[1] - 0.001 || (region() && now() < loop[0]));
    begin(outside ? loop[0] : now() >= seconds() - 0.001 ? 0 : now());
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
    mix?.hear(gain, context.currentTime);
    if (elements()) elements()[heard()].volume = level(heard());
  };
  // Lets another sound through: `change` moves what `heard` answers.
  const change = (to) => {
    const at = now();
    to();
    if (playing && elements()) begin(at);
    levels();
  };
  // Other sounds, or another loop, at the same place.
  const refresh = () => { if (playing) begin(now(), !elements()); else draw(); };
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
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("select, textarea, dialog, input[type=search], input[type=text], input[type=number]")) return;
    const plain = !event.target.closest("input, button, a, summary, [contenteditable]");
    const key = event.key.toLowerCase();
    if (keys[key]) keys[key]();
    else if (empty()) return;
    else if (key === " " && plain) toggle();
    else if (key === "x") swap();
    else if (key === "t") hear(0);
    else if (/^[0-9]$/.test(key)) hear(Number(key));
    else if (key === "arrowright" && plain) seek(now() + 0.1);
    else if (key === "arrowleft" && plain) seek(now() - 0.1);
    else return;
    event.preventDefault();
  });
  return { play, stop, seek, change, refresh, levels, reset, draw, wake, now, playing: () => playing };
};
