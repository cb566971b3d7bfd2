"""Settings of a DX7 voice as its display says them."""

from __future__ import annotations

from menura.explain.settings import settings_that_matter, shown_synth
from menura.synths.registry import synth_of


def test_a_voice_operator_by_operator():
    dx7 = synth_of("dx7")
    initial = dx7.init()
    voice = initial.with_values(algorithm=4.0, op2_output_level=70.0, op2_coarse=3.0, op3_coarse=9.0, op1_detune=9.0)
    groups = {
        group.title: {row.name: row.value for row in group.rows} for group in settings_that_matter(voice, initial)
    }
    assert groups["Voice"] == {"Algorithm": "5"}
    assert groups["Operator 2 (modulates)"] == {"Output level": "70", "Coarse": "3"}
    assert groups["Operator 1 (is heard)"] == {"Detune": "+2"}
    assert "Operator 3 (is heard)" not in groups  # silent


def test_names_as_people_write_them():
    assert shown_synth("dx7") == "DX7"
    assert shown_synth("vital") == "Vital"
    assert shown_synth("plugin:http://drobilla.net/plugins/mda/JX10") == "JX10"
