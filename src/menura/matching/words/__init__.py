"""A sound that is asked for in words: which words there are, how they are heard, and where candidates come from."""
