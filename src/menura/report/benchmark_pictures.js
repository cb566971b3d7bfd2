"use strict";
// Spectrograms drawn in the browser from decoded sounds: a page with hundreds of answers holds no pictures of them.
const spectrogram = (() => {
  const LOW = 40, HIGH = 18000, RANGE = 80, ROWS = 96, COLUMNS = 240, SIZE = 2048;
  const ANCHORS = ["#0a0a1a", "#1d1147", "#51127c", "#8f2a81", "#d3436e", "#f8765c", "#febb81", "#fcfdbf"]
    .map((text) => [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16)));
  const shape = Float64Array.from({ length: SIZE }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / SIZE));

  // Radix-2, in place, of real and imaginary parts.
  const transform = (real, imaginary) => {
    const n = real.length;
    for (let i = 1, j = 0; i < n; i += 1) {
      let bit = n >> 1;
      for (; j & bit; bit >>= 1) j ^= bit;
      j ^= bit;
      if (i < j) {
        [real[i], real[j]] = [real[j], real[i]];
        [imaginary[i], imaginary[j]] = [imaginary[j], imaginary[i]];
      }
    }
    for (let length = 2; length <= n; length *= 2) {
      const angle = (-2 * Math.PI) / length, half = length / 2;
      for (let k = 0; k < half; k += 1) {
        const cosine = Math.cos(angle * k), sine = Math.sin(angle * k);
        for (let i = k; i < n; i += length) {
          const j = i + half;
          const a = real[j] * cosine - imaginary[j] * sine, b = real[j] * sine + imaginary[j] * cosine;
          real[j] = real[i] - a;
          imaginary[j] = imaginary[i] - b;
          real[i] += a;
          imaginary[i] += b;
        }
      }
    }
  };

  const colour = (share) => {
    const at = Math.max(0, Math.min(1, share)) * (ANCHORS.length - 1), below = Math.min(Math.floor(at), ANCHORS.length - 2);
    return ANCHORS[below].map((value, i) => value + (at - below) * (ANCHORS[below + 1][i] - value));
  };

  /** Draws a decoded sound; each is relative to its own loudest moment, 80 dB down, as MSS hears it. */
  const draw = (canvas, buffer, seconds) => {
    const samples = buffer.getChannelData(0), rate = buffer.sampleRate;
    const levels = new Float64Array(ROWS * COLUMNS);
    const edges = Array.from({ length: ROWS + 1 }, (_, i) => (LOW * (HIGH / LOW) ** (i / ROWS) * SIZE) / rate);
    let top = 1e-12;
    for (let column = 0; column < COLUMNS; column += 1) {
      const middle = Math.round((column / (COLUMNS - 1)) * seconds * rate);
      const real = new Float64Array(SIZE), imaginary = new Float64Array(SIZE);
      for (let i = 0; i < SIZE; i += 1) real[i] = (samples[middle - SIZE / 2 + i] ?? 0) * shape[i];
      transform(real, imaginary);
      for (let row = 0; row < ROWS; row += 1) {
        const first = Math.min(Math.max(1, Math.floor(edges[row])), SIZE / 2 - 1);
        const last = Math.min(Math.max(first, Math.floor(edges[row + 1])), SIZE / 2 - 1);
        let power = 0;
        for (let bin = first; bin <= last; bin += 1) power = Math.max(power, real[bin] ** 2 + imaginary[bin] ** 2);
        levels[(ROWS - 1 - row) * COLUMNS + column] = power;
        top = Math.max(top, power);
      }
    }
    canvas.width = COLUMNS;
    canvas.height = ROWS;
    const picture = new ImageData(COLUMNS, ROWS);
    levels.forEach((power, i) => {
      const db = 10 * Math.log10(Math.max(power / top, 1e-12));
      picture.data.set([...colour(1 + db / RANGE), 255], 4 * i);
    });
    canvas.getContext("2d").putImageData(picture, 0, 0);
  };
  const rowOf = (hz) => 1 - Math.log(hz / LOW) / Math.log(HIGH / LOW);
  return { draw, rowOf };
})();
