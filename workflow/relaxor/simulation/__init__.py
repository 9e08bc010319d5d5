"""Forward models of instruments, and writers of their files: the sample data and the tests come from here."""
