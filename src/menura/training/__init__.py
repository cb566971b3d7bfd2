"""How our own networks are trained: data, loss, loop. Must not know matching or the command line."""
