"""t-SNE and UMAP embeddings of codes. Loads no torch."""
