"""How big is the computation graph? A page of the lecture's first question."""
