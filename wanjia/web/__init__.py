"""Pages. The audience is the security boundary: one folder per audience, and every page says what right it asks for."""
