"""Rights in Microsoft Entra: what connorg's identity needs, who has it, and giving it."""
