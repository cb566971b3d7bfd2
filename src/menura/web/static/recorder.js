// The microphone, as a sound file; nothing leaves the browser before it is asked for.
import { wavOf } from "./wav.js";

const LONGEST = 20;  // seconds

export const canRecord = () => Boolean(navigator.mediaDevices?.getUserMedia && window.AudioWorkletNode);

// Begins to record; `onLevel` hears the level and the seconds so far. `stop` answers with the file.
export const startRecording = async (onLevel, onFull) => {
  const stream = await navigator.mediaDevices.getUserMedia({
    // What makes speech clear spoils an instrument.
    audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
  });
  const context = new AudioContext();
  await context.audioWorklet.addModule("/static/recorder-worklet.js");
  const source = context.createMediaStreamSource(stream);
  const node = new AudioWorkletNode(context, "menura-recorder", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
  const blocks = [];
  let count = 0;
  node.port.onmessage = ({ data }) => {
    blocks.push(data);
    count += data.length;
    const peak = data.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    onLevel(peak, count / context.sampleRate);
    if (count > LONGEST * context.sampleRate) onFull();
  };
  source.connect(node);
  return {
    stop: async () => {
      node.port.onmessage = null;
      source.disconnect();
      stream.getTracks().forEach((track) => track.stop());
      const samples = new Float32Array(count);
      let at = 0;
      for (const block of blocks) { samples.set(block, at); at += block.length; }
      const rate = context.sampleRate;
      await context.close();
      if (!count) throw new Error("Nothing was recorded; check that the microphone is allowed and not muted.");
      return new File([wavOf([samples], rate)], "recording.wav", { type: "audio/wav" });
    },
  };
};
