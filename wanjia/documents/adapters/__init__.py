"""What documents touch outside: fonts on this machine, the typesetter, signatures in PDF."""
