// History: every match that the server keeps, to be opened or taken away.
import { getJson, remove } from "./api.js";
import { complain, make, one } from "./elements.js";

const STATES = { queued: "waiting", running: "running", failed: "failed", cancelled: "cancelled" };

export const makePast = ({ open, removed }) => {
  const row = (job) => {
    const best = job.distance === null ? "" : `${job.distance.toFixed(2)} away`;
    const facts = [STATES[job.state] ?? `${job.matches.length} ${job.matches.length === 1 ? "answer" : "answers"}`, best, job.synth, job.track,
      new Date(1000 * job.created).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" })].filter(Boolean).join(" · ");
    const go = make("button", { type: "button", className: "past-open" }, make("b", { textContent: job.parent ? `${job.name}, again` : job.name }),
      make("small", { textContent: facts }));
    go.addEventListener("click", () => { one("#past").close(); open(job.id); });
    const away = make("button", { type: "button", className: "small", textContent: "Remove" });
    away.setAttribute("aria-label", `Remove ${job.name}`);
    away.addEventListener("click", async () => {
      try {
        await remove(`/api/jobs/${job.id}`);
        removed(job.id);
        await fill();
      } catch (error) { complain(error); }
    });
    return make("li", {}, go, away);
  };
  const fill = async () => {
    const { jobs } = await getJson("/api/jobs");
    one("#past-list").replaceChildren(...jobs.map(row));
    one("#past-none").hidden = jobs.length > 0;
  };
  one("#open-past").addEventListener("click", async () => {
    try {
      await fill();
      one("#past").showModal();
    } catch (error) { complain(error); }
  });
  one("#close-past").addEventListener("click", () => one("#past").close());
  one("#past").addEventListener("click", (event) => { if (event.target === one("#past")) one("#past").close(); });
};
