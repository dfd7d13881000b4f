"""One loader a format, and what vouches for a file: card, checksums, golden pictures, temperature."""
