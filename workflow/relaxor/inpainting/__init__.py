"""In-sensor inpainting: letters, the device as their encoder, the GAN that fills the hole, its integers, and FID."""
