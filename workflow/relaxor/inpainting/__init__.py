"""In-sensor inpainting: letters with a hole, the device as their encoder, and a decoder that fills the hole."""
