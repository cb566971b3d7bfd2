// Runs beside the audio clock: hands on what the microphone hears, block by block.
registerProcessor("menura-recorder", class extends AudioWorkletProcessor {
  process([input]) {
    if (input[0]) this.port.postMessage(input[0].slice());
    return true;
  }
});
