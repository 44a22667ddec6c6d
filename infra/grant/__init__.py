"""Rights in Microsoft Entra: what connorg's identity needs, who has it, and how it is granted."""
