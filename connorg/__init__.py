"""connorg connects partner organizations to a company's Microsoft Entra, exactly once."""
