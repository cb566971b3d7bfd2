// Short names for what is done with elements all over the page.

export const one = (selector) => document.querySelector(selector);
export const all = (selector) => [...document.querySelectorAll(selector)];
export const make = (tag, fields = {}, ...children) => {
  const { data = {}, aria = {}, ...rest } = fields;
  const element = Object.assign(document.createElement(tag), rest);
  for (const [name, value] of Object.entries(data)) element.dataset[name] = value;
  for (const [name, value] of Object.entries(aria)) element.setAttribute(name === "role" ? "role" : `aria-${name}`, value);
  element.append(...children);
  return element;
};
export const svg = (tag, fields = {}) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(fields)) element.setAttribute(name, value);
  return element;
};
// Calls once when calls have been quiet for a while.
export const later = (call, wait) => {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => call(...given), wait);
  };
};
export const complain = (error) => {
  if (error?.name === "AbortError") return;
  const box = one("#problem");
  box.textContent = error ? error.message ?? String(error) : "";
  box.hidden = !error;
  if (error) box.scrollIntoView({ block: "nearest" });
};
