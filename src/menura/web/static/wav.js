// Samples as a WAV file, 32-bit float, so that nothing is rounded or clipped on its way to the server.

export const wavOf = (channels, sampleRate) => {
  const count = channels[0].length, size = 4 * count * channels.length;
  const view = new DataView(new ArrayBuffer(44 + size));
  const text = (at, letters) => [...letters].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF"); view.setUint32(4, 36 + size, true); text(8, "WAVEfmt ");
  view.setUint32(16, 16, true); view.setUint16(20, 3, true); view.setUint16(22, channels.length, true);
  view.setUint32(24, sampleRate, true); view.setUint32(28, 4 * sampleRate * channels.length, true);
  view.setUint16(32, 4 * channels.length, true); view.setUint16(34, 32, true);
  text(36, "data"); view.setUint32(40, size, true);
  for (let i = 0, at = 44; i < count; i += 1) for (const channel of channels) { view.setFloat32(at, channel[i], true); at += 4; }
  return new Blob([view], { type: "audio/wav" });
};

// Formats that browsers know and the server does not (m4a, webm, opus) are decoded here.
const KNOWN = /\.(wav|flac|ogg|oga|mp3|aif|aiff|aifc)$/i;
const BROWSERS = /\.(m4a|mp4|aac|webm|weba|opus|caf|3gp|mov)$/i;
export const asReadable = async (file) => {
  if (KNOWN.test(file.name) || !BROWSERS.test(file.name)) return file;
  try {
    const sound = await new OfflineAudioContext(1, 1, 44100).decodeAudioData(await file.arrayBuffer());
    const channels = Array.from({ length: sound.numberOfChannels }, (_, c) => sound.getChannelData(c));
    return new File([wavOf(channels, sound.sampleRate)], file.name.replace(BROWSERS, ".wav"));
  } catch {
    return file;  // the server will say what is wrong with it
  }
};
