"""The gallery: the lecture's questions, each answered by stored results of real runs."""
