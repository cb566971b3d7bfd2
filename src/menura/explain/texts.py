"""Every sentence of the tutorial, English; another language is another file like this one. Knows no synth."""

from __future__ import annotations

from collections.abc import Mapping

HEADINGS: Mapping[str, str] = {
    "algorithm": "Algorithm",
    "oscillators": "Oscillators",
    "operators": "Operators",
    "sampler": "Sampler",
    "filters": "Filters",
    "envelopes": "Envelopes",
    "lfos": "LFOs",
    "modulation": "Modulation",
    "effects": "Effects",
    "macros": "Macros",
    "voice": "Voice and output",
    "content": "Contents",
}

TITLE = "How to build “{name}” with {synth}"
UNNAMED = "this patch"
INTRO = (
    "From the initial patch to “{name}”, {steps}. What each step does to the sound was measured: it was rendered, at "
    "{note}, velocity {velocity}, held for {hold} s, and compared with the step before."
)
STEPS = ("no step is heard", "in one step", "in {count} steps")
"""None, one, more."""
LOADED = "Wavetables, shapes and sounds that a step loads lie in the preset itself."
DONE = "That is “{name}”."
ALSO = "Also set, not heard here"
ALSO_INTRO = (
    "The preset has these settings too. They were taken away together, and the sound at {note} stayed the same (within "
    "{floor} dB): their part is off, something else sets them aside, or they wait for another way of playing."
)
REPORT_TITLE = "How to build it"
REPORT_STEPS = "from the initial patch, each step measured: {count}"
HEARD = "Heard"
NOT_YET = "nothing yet; what follows builds on it."
CHANCE = "It is left to chance from note to note, so it was held still while measuring."
COLOUR = "a change of colour, {difference} dB on average over the spectrum"
APPEARS = "the sound appears"
DISAPPEARS = "the sound disappears; what follows brings it back"

SHIFTS: Mapping[str, tuple[str, str]] = {
    "level": ("louder by {change}", "softer by {change}"),
    "brightness": ("brighter (centre of the spectrum {before} → {after})", "darker (centre of the spectrum {both})"),
    "attack": ("slower attack ({both})", "quicker attack ({both})"),
    "held": ("holds its level ({both} at key up)", "dies away while the key is down ({both} at key up)"),
    "length": ("longer ({both})", "shorter ({both})"),
    "width": ("wider (stereo share {both})", "narrower (stereo share {both})"),
    "pitch": ("higher by {change}", "lower by {change}"),
    "tone": ("clearer in pitch (periodic to {both})", "rougher or noisier (periodic to {both})"),
    "pitch_swing": ("its pitch moves more (swing {both})", "its pitch moves less (swing {both})"),
    "level_swing": ("its level moves more (swing {both})", "its level moves less (swing {both})"),
    "colour_swing": ("its brightness moves more (swing {both})", "its brightness moves less (swing {both})"),
}
"""Of each quantity, what one says where it grew and where it fell."""
BOTH = "{before} → {after}"

WHY: Mapping[str, str] = {
    "osc.wave": "The wave is the raw material: its partials are all that the rest can work on.",
    "osc.warp": "Bending the wave itself gives partials that no filter could.",
    "osc.unison": "Copies slightly out of tune beat against each other: thicker, and wider where they are spread.",
    "off": "The patch does without it.",
    "sampler": "A sampled layer adds what single waves lack: noise, breath, the knock of the start.",
    "filter": "A filter takes away what is too much, and gives what is left a shape.",
    "filter.low": "A low-pass takes the top off; resonance stresses what lies at the cutoff.",
    "filter.band": "A band-pass keeps a region around the cutoff: thinner, more like something heard through a wall.",
    "filter.high": "A high-pass takes the bottom off and makes room.",
    "filter.formant": "A formant filter makes vowels.",
    "filter.comb": "A comb filter adds a pitch of its own, as a string or a tube does.",
    "filter.phaser": "Notches that move through the spectrum.",
    "filters": "Filters take away what is too much.",
    "amplitude.slow": "The envelope of the amplitude: it fades in rather than starts.",
    "amplitude.pluck": "The envelope of the amplitude: it starts at once and dies away, as a pluck does.",
    "amplitude.held": "The envelope of the amplitude: how it begins, how it is held, how it ends.",
    "envelopes": "Envelopes say how the sound begins, is held and ends.",
    "lfos": "What swings on its own brings movement.",
    "modulation": "Routes let one thing move another.",
    "effects": "Effects put the sound into a place.",
    "macros": "Macros put several settings under one knob.",
    "move.pitch": "Moving the pitch: vibrato where it swings, a bend or a knock where it falls once.",
    "move.filter": "Moving the filter: the sound opens and closes over the note.",
    "move.wave": "Moving the wave: the timbre changes while the note sounds.",
    "move.level": "Moving the level: a part comes, goes or pulses.",
    "move.width": "Moving the place in the stereo field, or the spread of the voices.",
    "move.effect": "Moving an effect while the note sounds.",
    "move.mover": "Moving a mover: the movement itself changes over the note.",
    "move.many": "One source moves several things, so that they belong together.",
    "macro": "A macro puts several settings under one knob; where it stands is part of the sound.",
    "chorus": "Chorus: short moving echoes that blur and widen.",
    "compressor": "The compressor evens the level out, in bands it also reshapes the spectrum.",
    "delay": "Echoes, in time or freely.",
    "distortion": "Distortion adds partials where it is loud: dirt, warmth, edge.",
    "eq": "The last correction of bass, middle and treble.",
    "filter_fx": "A filter over everything.",
    "flanger": "Flanger: a comb that sweeps.",
    "phaser": "Phaser: notches that sweep.",
    "reverb": "A room around the sound, and a tail after it.",
    "effects.order": "The order matters: what is distorted before a reverb sounds unlike what is distorted after it.",
    "voice": "Tuning, playing and the level of the whole.",
    "content": "What the preset carries beside its controls.",
    "dx7.algorithm": "The algorithm says who modulates whom, and who is heard.",
    "dx7.carrier": "A carrier is heard: its level is loudness, its frequency the pitch of this part.",
    "dx7.modulator": "A modulator is heard as colour: its level is brightness, its frequency chooses the partials.",
    "dx7.envelope": "Its envelope: of a carrier the loudness, of a modulator the brightness over time.",
    "dx7.touch": "How it follows the keyboard and the touch.",
    "dx7.feedback": "Feedback roughens its operator, from a saw's edge to noise.",
    "dx7.pitch": "The pitch envelope bends the whole voice.",
    "dx7.lfo": "The LFO brings vibrato and tremolo.",
}
"""Why a step is there, by role."""

PROSE_SYSTEM = (
    "You write one paragraph of a synthesizer tutorial for musicians, in plain English. You are given one step: its "
    "settings and what it did to the sound, measured. Write two to four sentences that tell what to set, why, and what "
    "is heard. Name every setting exactly as given, each followed by its value exactly as given, with all digits and "
    "the unit. Name every measured number. Never add a number, a control or a module that is not given, and write "
    "numbers in digits. Answer with the paragraph alone."
)
PROSE_STEP = "Step: {title}\nSettings:\n{settings}\nWhy: {why}\n{heard}"
PROSE_AGAIN = "That was not right: {faults}. Write the paragraph again."

_EVERYDAY = (
    "amount attack band blend bounce bypass decay delay depth direct hold legato level loop mix mode off on order pan "
    "phase release shape size sound start style switch type voice voices volume wave width stereo spread sustain tune "
    "sample time rate feedback operator texts contents note noise filter envelope frequency fine coarse transpose"
)
EVERYDAY = frozenset(_EVERYDAY.split())
"""Names of controls that are words of every day: in lower case they name nothing."""
_COUNTED = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
_TENS = {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90, "hundred": 100}
NUMBER_WORDS: Mapping[str, int] = {
    **{word: number for number, word in enumerate(_COUNTED.split()) if word != "one"},
    **_TENS,
}
"""Numbers in words; "one" is mostly none."""
_OWN_UNITS = "% hz khz s ms db semitones cents octaves voices frames points degrees"
_OTHER_UNITS = (
    "percent=% hertz=hz kilohertz=khz seconds=s second=s secs=s sec=s milliseconds=ms millisecond=ms decibels=db "
    "decibel=db semitone=semitones cent=cents octave=octaves voice=voices frame=frames point=points degree=degrees "
    "°=degrees"
)
UNITS: Mapping[str, str] = {
    **{unit: unit for unit in _OWN_UNITS.split()},
    **{written: unit for written, _, unit in (pair.partition("=") for pair in _OTHER_UNITS.split())},
}
"""How units are written, lower case, and what each is."""
