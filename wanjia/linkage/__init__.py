"""Who is the same person: assertions in, links to persons out, each with its evidence."""
