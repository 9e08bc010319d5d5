"""Code that the two pulse techniques share: pulses, responses, relaxation, potentiation, energy, photoresponse."""
