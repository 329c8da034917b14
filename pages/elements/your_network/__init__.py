"""The page for the network of a session: paste, understanding, findings on lines, and the patch."""
