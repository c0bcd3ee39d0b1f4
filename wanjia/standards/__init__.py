"""The words of the profile: elements, code sets, divisions, and the rules that bring written values to them."""
