// How the chosen answer is built, step by step. Owns the fold that tells it; plays nothing.
import { addressOf, getJson } from "./api.js";
import { complain, make, one } from "./elements.js";

const valuesOf = ({ changes }) => make("dl", {}, ...changes.map(({ name, value }) =>
  make("div", {}, make("dt", { textContent: name }), make("dd", { textContent: value }))));
const itemOf = (step) => make("li", {}, make("b", { textContent: step.title }), " ", make("small", { textContent: step.why }),
  valuesOf(step), make("p", { className: "heard", textContent: step.heard }));
const partsOf = ({ steps, also, also_said: said }) => {
  const parts = [];
  steps.forEach((step, i) => {
    if (!i || step.group !== steps[i - 1].group) parts.push(make("h3", { textContent: step.group }), make("ol", { start: i + 1 }));
    parts.at(-1).append(itemOf(step));
  });
  if (also.length) parts.push(make("p", { className: "hint", textContent: said }),
    make("ul", {}, ...also.map((place) => make("li", {}, make("b", { textContent: place.title }), valuesOf(place)))));
  return parts;
};

export const makeBuilding = () => {
  const fold = one("#building"), state = one("#building-state"), steps = one("#steps");
  let job = null, source = null, shown = "";
  const clear = () => {
    shown = state.textContent = "";
    steps.replaceChildren();
  };
  const fill = async () => {
    if (!fold.open || !source) return;
    const wanted = addressOf(job, source.shelf, source.number, "building", source.turns);
    if (wanted === shown) return;
    clear();
    shown = wanted;
    state.textContent = "Playing each step; this takes half a minute …";
    try {
      const found = await getJson(wanted);
      if (wanted !== shown) return;
      state.textContent = `${found.steps.length} steps from the initial patch, each measured with ${found.note}.`;
      steps.replaceChildren(...partsOf(found));
    } catch (error) {
      if (wanted !== shown) return;
      clear();
      complain(error);
    }
  };
  fold.addEventListener("toggle", fill);
  return {
    // Another answer is chosen: what is open is told anew.
    show: (ofJob, chosen) => { [job, source] = [ofJob, chosen]; clear(); fill(); },
    // It was turned: told anew when somebody asks again.
    turned: () => { fold.open = false; },
  };
};
