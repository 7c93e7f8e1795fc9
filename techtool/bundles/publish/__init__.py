"""The publisher's side: make a bundle, add releases, have it signed by several people, write it to a stick."""
