"""Any plug-in as a synth: found, probed, hosted in processes of its own, with its preset files. Begins in `plugin`."""
