"""In-sensor inpainting of letters: images, encoder, decoder, quantization, distance to the originals."""
