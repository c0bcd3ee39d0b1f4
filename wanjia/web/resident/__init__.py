"""Pages of residents: their own record, who looked at it, what they ask of the office. Phone first, whole without scripts."""
