"""The tests, by what they need: unit, synth, flows, sandbox, rehearsals, wheel."""
