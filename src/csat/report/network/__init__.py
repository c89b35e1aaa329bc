"""Path diagrams without a drawing program: nodes and arrows of a model, their places, and texts for other programs."""
