// Two octaves of keys around the target's note; each plays the chosen answer there, rendered by the engine.
import { make, one } from "./elements.js";

const NAMES = ["C", "C sharp", "D", "D sharp", "E", "F", "F sharp", "G", "G sharp", "A", "A sharp", "B"];
const BLACK = new Set([1, 3, 6, 8, 10]);
const LETTERS = "awsedftgyhujkolp";

export const makePiano = ({ press }) => {
  let first = 48, own = 60;
  const box = one("#piano");
  const keys = () => [...box.children];

  const strike = async (key) => {
    key.classList.add("busy");
    try {
      await press(Number(key.dataset.pitch), { velocity: Number(one("#velocity").value), hold: Number(one("#hold").value) });
      key.classList.add("down");
      setTimeout(() => key.classList.remove("down"), 220);
    } finally {
      key.classList.remove("busy");
    }
  };
  const focus = (index) => {
    const wanted = keys()[Math.min(keys().length - 1, Math.max(0, index))];
    keys().forEach((key) => { key.tabIndex = key === wanted ? 0 : -1; });
    wanted.focus();
  };
  box.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = keys().indexOf(event.target);
    const moves = { ArrowRight: 1, ArrowLeft: -1, ArrowUp: 12, ArrowDown: -12, Home: -99, End: 99 };
    const letter = LETTERS.indexOf(event.key.toLowerCase());
    if (event.key in moves) focus(at + moves[event.key]);
    else if (letter >= 0 && !event.repeat && keys()[letter]) strike(keys()[letter]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  const show = (note) => {
    own = Math.round(note.pitch);
    first = Math.min(103, Math.max(0, 12 * Math.floor((own - 6) / 12)));
    one("#velocity").value = note.velocity;
    one("#hold").value = Math.min(6, Math.max(0.1, note.hold));
    let white = 0;
    box.replaceChildren(...Array.from({ length: 25 }, (_, i) => {
      const pitch = first + i, black = BLACK.has(pitch % 12);
      const name = `${NAMES[pitch % 12]} ${Math.floor(pitch / 12) - 1}`;
      const key = make("button", { type: "button", className: black ? "black" : "white", tabIndex: pitch === own ? 0 : -1, data: { pitch } });
      key.setAttribute("aria-label", pitch === own ? `${name}, the target's key` : name);
      if (pitch === own) key.classList.add("own");
      if (pitch % 12 === 0) key.append(make("span", { textContent: `C${Math.floor(pitch / 12) - 1}`, aria: { hidden: "true" } }));
      key.style.setProperty("--at", black ? white - 0.32 : white);
      if (!black) white += 1;
      key.addEventListener("click", () => strike(key));
      return key;
    }));
  };
  return { show };
};
