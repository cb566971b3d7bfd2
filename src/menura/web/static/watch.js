// One job's events, from the first on, however often the line breaks.

const KINDS = ["queued", "reading", "listened", "stage", "proposed", "improved", "warned", "finished", "failed", "cancelled"];
const LAST = new Set(["finished", "failed", "cancelled"]);

// Calls `tell` with each event once, in order; answers with what stops it.
export const watchJob = (job, tell, lost) => {
  let seen = 0;
  // The browser itself asks again, with the number of the last event; 204 ends it.
  const source = new EventSource(`/api/jobs/${job}/events`);
  const hear = ({ data }) => {
    const event = JSON.parse(data);
    if (event.id <= seen) return;
    seen = event.id;
    lost(false);
    if (LAST.has(event.event)) source.close();
    tell(event);
  };
  KINDS.forEach((kind) => source.addEventListener(kind, hear));
  source.onerror = () => { if (source.readyState !== EventSource.CLOSED) lost(true); };
  return () => source.close();
};

const STAGES = {
  resynthesis: "Drawing waves and contours", audition: "Listening to candidates", refine: "Refining the best",
  rank: "Checking and ranking", starts: "Gathering starting points", knobs: "Turning knobs", retrieve: "Looking through the library", words: "Looking through the library",
};
export const wordsOf = (event) => {
  switch (event.event) {
    case "queued": return event.ahead ? `Waiting: ${event.ahead} ahead of this one` : "Waiting";
    case "reading": return "Reading the sound";
    case "listened": return event.audible === false ? null : event.pitched ? `Heard ${event.note.name}` : "Heard a sound without pitch";
    case "stage": return STAGES[event.stage] ?? event.stage;
    case "improved": return `nearest so far ${event.distance.toFixed(2)} after ${event.renders} ${event.renders === 1 ? "render" : "renders"}`;
    default: return null;
  }
};

// The course of the best distance as an SVG path in a box 600 by 60.
export const courseOf = (events) => {
  const steps = events.filter(({ event }) => event === "improved");
  if (!steps.length) return "";
  const last = Math.max(...steps.map(({ renders }) => renders), 2);
  const worst = Math.max(...steps.map(({ distance }) => distance), 1e-6);
  const x = (renders) => (600 * renders) / last, y = (distance) => 57 - (54 * distance) / worst;
  let path = `M0 ${y(steps[0].distance)}`;
  steps.slice(1).forEach((step) => { path += `H${x(step.renders).toFixed(1)}V${y(step.distance).toFixed(1)}`; });
  return `${path}H600`;
};
