"""The forms of a package's files. Each member is read as it is declared here, and no other member may be there."""
