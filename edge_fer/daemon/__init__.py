"""What `edge-fer run` is made of: `main` opens everything, `watch` follows the camera."""
