"""Letters seen by the device, their missing centres restored, and how good the restoration is."""
