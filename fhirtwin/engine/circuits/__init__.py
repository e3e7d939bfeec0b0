"""How the engine evaluates circuits beside the panel: weights encoded once, ciphertexts in, ciphertexts out."""
