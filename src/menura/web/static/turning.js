// Macros, parameters and locks of the answer that is chosen. Owns what is turned; renders nothing.
import { addressOf, getJson } from "./api.js";
import { complain, later, make, one } from "./elements.js";

const WORDS = {
  oscillators: "Oscillators", sampler: "Noise and sampler", filters: "Filters", envelopes: "Envelopes", lfos: "LFOs",
  random_lfos: "Random LFOs", modulations: "Modulation", effects: "Effects", macros: "Vital's macros", voice: "Voice and output",
};
export const groupName = (name) => WORDS[name] ?? name.replaceAll("_", " ").replace(/^./, (letter) => letter.toUpperCase());

export const makeTurning = ({ turned }) => {
  let job = null, source = null, known = null, sliders = new Map();
  const soon = later(() => turned(source), 220);

  // ---------------------------------------------------------------- macros
  const amountText = (macro, amount) => (amount ? `${amount > 0 ? macro.more : macro.less} ${Math.round(100 * Math.abs(amount))}%` : "as matched");
  const macroRow = (macro) => {
    const slider = make("input", { type: "range", min: -1, max: 1, step: 0.05, value: 0, id: `macro-${macro.name}` });
    const shown = make("output");
    const tell = () => {
      const amount = Number(slider.value);
      const words = amountText(macro, amount);
      shown.textContent = amount ? words : "";
      slider.setAttribute("aria-valuetext", words);
      row.classList.toggle("moved", amount !== 0);
    };
    slider.setAttribute("aria-label", `${macro.more} or ${macro.less.toLowerCase()}`);
    slider.title = macro.hint;
    slider.addEventListener("input", () => {
      if (Math.abs(slider.value) < 0.04) slider.value = 0;
      source.turns.macros[macro.name] = Number(slider.value);
      tell();
      soon();
    });
    slider.addEventListener("dblclick", () => { slider.value = 0; slider.dispatchEvent(new Event("input")); });
    const ends = make("div", { className: "ends", aria: { hidden: "true" } },
      make("span", { textContent: macro.less }), make("b", { textContent: macro.more }));
    const row = make("div", { className: "macro" }, ends, slider, shown);
    sliders.set(macro.name, { slider, tell });
    return row;
  };

  // ---------------------------------------------------------------- parameters
  const rows = new Map();
  const controlRow = (control) => {
    const name = control.name, text = make("output", { textContent: control.text });
    const whole = control.choices.length > 1 || control.kind === "toggle";
    let input;
    if (whole) {
      const choices = control.choices.length ? control.choices : ["Off", "On"];
      input = make("select", {}, ...choices.map((choice, i) => make("option", { value: i / (choices.length - 1), textContent: choice })));
      input.selectedIndex = Math.round(control.place * (choices.length - 1));
      text.hidden = true;
    } else {
      const step = control.steps > 1 ? 1 / (control.steps - 1) : 0.001;
      input = make("input", { type: "range", min: 0, max: 1, step, value: control.place });
    }
    input.setAttribute("aria-label", control.label);
    input.addEventListener("input", () => {
      source.turns.controls[name] = Number(input.value);
      row.classList.add("moved");
      soon();
    });
    const lock = make("input", { type: "checkbox", className: "lock", title: "Lock", checked: source.locks.has(name) });
    lock.setAttribute("aria-label", `Lock ${control.label}`);
    lock.addEventListener("change", () => { lock.checked ? source.locks.add(name) : source.locks.delete(name); });
    const row = make("div", { className: "control", data: { name } }, lock, make("span", { textContent: control.label }), input, text);
    row.classList.toggle("moved", name in source.turns.controls);
    rows.set(name, { input, text, whole, choices: control.choices });
    return row;
  };
  const showControls = () => {
    rows.clear();
    const wanted = one("#find").value.trim().toLowerCase();
    const groups = known.groups.map((group) => {
      const members = known.controls.filter((control) => control.group === group && control.label.toLowerCase().includes(wanted));
      if (!members.length) return "";
      const differing = members.filter((control) => Math.abs(control.place - control.initial) > 1e-5).length;
      const fold = make("details", { open: Boolean(wanted) }, make("summary", {}, groupName(group),
        make("small", { textContent: differing ? ` ${differing} of ${members.length} differ from the initial patch` : ` ${members.length}` })));
      const fill = () => { if (fold.open && fold.childElementCount === 1) fold.append(...members.map(controlRow)); };
      fold.addEventListener("toggle", fill);
      fill();
      return fold;
    });
    one("#controls").replaceChildren(...groups);
  };
  // What the synth itself would show, after a turn.
  const retell = () => known.controls.forEach((control) => {
    const row = rows.get(control.name);
    if (!row) return;
    row.text.textContent = control.text;
    if (document.activeElement === row.input) return;
    if (row.whole) row.input.selectedIndex = Math.round(control.place * (row.input.options.length - 1));
    else row.input.value = control.place;
  });
  const fetchControls = async () => {
    const mine = source;
    const found = await getJson(addressOf(job, mine.shelf, mine.number, "controls", mine.turns));
    if (mine !== source) return false;
    known = found;
    return true;
  };

  // ---------------------------------------------------------------- locks
  const showLocks = () => one("#locks").replaceChildren(...known.groups.map((group) => {
    const box = make("input", { type: "checkbox", checked: source.locks.has(group) });
    box.addEventListener("change", () => { box.checked ? source.locks.add(group) : source.locks.delete(group); });
    return make("label", { className: "chip" }, box, ` ${groupName(group)}`);
  }));

  one("#find").addEventListener("input", later(() => known && showControls(), 120));
  one("#parameters").addEventListener("toggle", () => { if (one("#parameters").open && known) showControls(); });
  one("#reset").addEventListener("click", () => {
    if (!source) return;
    source.turns = { macros: {}, controls: {} };
    show(job, source);
    turned(source);
  });

  // Another answer is chosen.
  const show = async (ofJob, chosen) => {
    [job, source, known] = [ofJob, chosen, null];
    one("#controls").replaceChildren();
    try {
      if (!(await fetchControls())) return;
    } catch (error) {
      return complain(error);
    }
    sliders = new Map();
    one("#macros").replaceChildren(...known.macros.map(macroRow));
    one("#no-macros").hidden = known.macros.length > 0;
    for (const [name, { slider, tell }] of sliders) { slider.value = source.turns.macros[name] ?? 0; tell(); }
    showLocks();
    if (one("#parameters").open) showControls();
  };
  const refreshTexts = async () => {
    if (one("#parameters").open && source && (await fetchControls())) retell();
  };
  return { show, refreshTexts, source: () => source };
};

export const isTurned = ({ turns }) => Object.values(turns.macros).some(Boolean) || Object.keys(turns.controls).length > 0;
