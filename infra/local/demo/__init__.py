"""A demonstration: partners onboarded on this machine while Graph throttles and fails."""
