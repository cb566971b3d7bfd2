// A sound comes in: dropped, chosen or recorded; with it, or instead of it, what is wished for.
import { post } from "./api.js";
import { all, complain, make, one } from "./elements.js";
import { canRecord, startRecording } from "./recorder.js";
import { asReadable } from "./wav.js";

export const makeIntake = ({ about, begun }) => {
  let file = null, recording = null;
  const synths = new Map(about.synths.map((synth) => [synth.name, synth]));

  const choose = (given) => {
    if (!given) return;
    if (given.size > about.upload_bytes) {
      return complain(new Error(`${given.name} is too large (${megabytes(given.size)}); give ${megabytes(about.upload_bytes)} at most.`));
    }
    complain(null);
    file = given;
    one("#chosen").textContent = file.name;
    one("#drop").classList.add("has");
    one("#drop-hint").textContent = megabytes(file.size);
    showWishes();
    one("#go").focus();
  };
  const forget = () => {
    file = null;
    one("#chosen").textContent = nothing.chosen;
    one("#drop-hint").textContent = nothing.hint;
    one("#drop").classList.remove("has");
    showWishes();
    one("#text").focus();
  };
  const nothing = { chosen: one("#chosen").textContent, hint: one("#drop-hint").textContent };
  const megabytes = (bytes) => (bytes < 1e5 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

  // ---------------------------------------------------------------- wishes
  const track = () => all("[name=track]").find((radio) => radio.checked && !radio.disabled)?.value ?? "knobs";
  const effort = () => Number(one("[name=effort]:checked").value);
  const text = () => one("#text").value.trim();
  const usual = () => synths.get(one("#synth").value)?.tracks[text() && !file ? "words" : track()] ?? 200;
  const rendersFor = (share) => Math.min(about.renders, Math.max(8, Math.round((usual() * share) / 4) * 4));
  const showWishes = () => {
    one("#go").disabled = !file && !text();
    one("#forget").hidden = !file;
    const known = synths.get(one("#synth").value)?.tracks ?? {};
    all("[name=track]").forEach((radio) => { radio.disabled = !(radio.value in known); });
    if (one("[name=track]:checked").disabled) one("[name=track]:not(:disabled)").checked = true;
    all("[name=effort]").forEach((radio) => {
      radio.closest("label").querySelector(".renders").textContent = `${rendersFor(Number(radio.value))} renders`;
    });
  };
  one("#synth").append(...about.synths.map(({ name, title }) => make("option", { value: name, textContent: title })));
  one("#renders").max = about.renders;
  one("#top").max = about.matches;
  one("#ask").addEventListener("input", showWishes);
  showWishes();

  // ---------------------------------------------------------------- drop and choose
  one("#forget").addEventListener("click", forget);
  one("#choose").addEventListener("click", () => one("#file").click());
  one("#file").addEventListener("change", () => { choose(one("#file").files[0]); one("#file").value = ""; });
  const over = (is) => one("#drop").classList.toggle("over", is);
  document.addEventListener("dragover", (event) => { event.preventDefault(); over(true); });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) over(false); });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    over(false);
    const dropped = event.dataTransfer?.files[0];
    if (dropped) { location.hash = ""; choose(dropped); }
  });

  // ---------------------------------------------------------------- record
  const stopRecording = async () => {
    const mine = recording;
    recording = null;
    one("#record").classList.remove("live");
    one("#record-label").textContent = "Record again";
    one("#level").hidden = true;
    if (mine) choose(await mine.stop());
  };
  one("#record").addEventListener("click", async () => {
    try {
      if (recording) return await stopRecording();
      if (!canRecord()) throw new Error("The browser gives the microphone to pages of this machine (localhost) or https alone.");
      recording = await startRecording((peak, seconds) => {
        one("#level").value = Math.sqrt(peak);
        one("#record-label").textContent = `Stop (${seconds.toFixed(1)} s)`;
      }, stopRecording);
      one("#record").classList.add("live");
      one("#record-label").textContent = "Stop";
      one("#level").hidden = false;
      one("#chosen").textContent = "Listening: play one note";
    } catch (error) {
      complain(error.name === "NotAllowedError" ? new Error("The microphone is not allowed; allow it in the browser, or choose a file.") : error);
    }
  });

  // ---------------------------------------------------------------- ask
  one("#ask").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!file && !text()) return;
    one("#go").disabled = true;
    complain(null);
    try {
      const form = new FormData();
      const sound = file && await asReadable(file);
      if (sound) form.append("sound", sound, sound.name);
      if (text()) form.append("text", text());
      form.append("synth", one("#synth").value);
      form.append("track", track());
      form.append("renders", Number(one("#renders").value) || rendersFor(effort()));
      form.append("top", Number(one("#top").value) || 5);
      if (one("#note").value.trim()) form.append("note", one("#note").value.trim());
      begun(await post("/api/jobs", form));
    } catch (error) {
      complain(error);
    } finally {
      one("#go").disabled = false;
    }
  });
  return { choose };
};
